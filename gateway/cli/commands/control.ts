import type { Command } from 'commander'
import { z } from 'zod'
import { controlInWords } from '#gateway/client/words.ts'
import { newClientId } from '#gateway/client/new-id.ts'
import { ControlReceipt } from '#shared/contracts/control.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const HELP = `
Examples:
  waggle take 01jd…                                    you have the voice; the agent is silent
  waggle reply 01jd… "I have sent you a new one."      to the customer
  waggle note 01jd… "Third time this month."           to colleagues
  waggle note 01jd… --whisper "Offer a discount."      to the agent, which reads it with its next turn
  waggle release 01jd… --learned "She gets a refund."  agents answer again, and know this
`

type Options = WithEndpoint<{ force?: boolean; reason?: string; learned?: string; whisper?: boolean; json?: boolean }>

/** What an operator does in a conversation, over REST. */
export function addControl(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const print = (options: Options, answer: object, words: string): void => {
    terminal.out(options.json === true ? `${JSON.stringify(answer)}\n` : `${words}\n`)
    done(ExitCode.ok)
  }
  const move = async (id: string, options: Options, body: object): Promise<void> => {
    const endpoint = await findEndpoint(options, terminal)
    const path = `conversations/${encodeURIComponent(id)}/control`
    const receipt = await request(endpoint, path, ControlReceipt, { method: 'POST', body })
    print(options, receipt, `${controlInWords(receipt)} (epoch ${receipt.control})`)
  }
  const command = (name: string, description: string): Command =>
    withEndpoint(program.command(name).description(description).argument('<conversation>'))
      .option('--json', 'print JSON')
      .addHelpText('after', HELP)

  command('take', 'Takes a conversation over: you answer, and no agent does.')
    .option('--force', 'also from a person who has it; administrators only')
    .option('--reason <words>', 'why')
    .action((id: string, options: Options) =>
      move(id, options, { action: 'take', force: options.force === true, reason: options.reason ?? '' }),
    )

  command('release', 'Hands a conversation back to the agents.')
    .option('--learned <words>', 'what the agents should know from here on')
    .option('--reason <words>', 'why')
    .action((id: string, options: Options) =>
      move(id, options, { action: 'release', learned: options.learned ?? '', reason: options.reason ?? '' }),
    )

  command('reply', 'Answers the customer; you must have taken the conversation over.')
    .argument('<words...>')
    .action(async (id: string, words: readonly string[], options: Options) => {
      const endpoint = await findEndpoint(options, terminal)
      const path = `conversations/${encodeURIComponent(id)}/replies`
      const body = { id: newClientId(), text: words.join(' ') }
      const said = await request(endpoint, path, z.object({ messageId: z.string() }), { method: 'POST', body })
      print(options, said, `said as ${said.messageId}`)
    })

  command('note', 'Says something beside a conversation, which the customer never sees.')
    .argument('<words...>')
    .option('--whisper', 'to the agent instead of to colleagues')
    .action(async (id: string, words: readonly string[], options: Options) => {
      const endpoint = await findEndpoint(options, terminal)
      const path = `conversations/${encodeURIComponent(id)}/notes`
      const kind = options.whisper === true ? 'whisper' : 'note'
      const body = { id: newClientId(), text: words.join(' '), kind }
      const kept = await request(endpoint, path, z.object({ noteId: z.string() }), { method: 'POST', body })
      print(options, kept, `kept as ${kept.noteId}`)
    })
}
