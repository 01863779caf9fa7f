import type { Command } from 'commander'
import { z } from 'zod'
import { LetterSummary } from '#shared/contracts/directory.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { readJson } from '../read-json.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const LIST_LIMIT = 50
const CODE_COLUMNS = 16
const MESSAGE_CHARS = 60

const Letters = z.object({ letters: z.array(LetterSummary), next: z.string().nullish() })
/** As it comes over REST; more fields than these are shown as they are. */
const Letter = LetterSummary.loose()
const Replayed = z.object({ id: z.string() })

const HELP = `
A message that could not be handled is kept with its payload, error and history. Replaying one sends it again as a new
attempt, in the same trace; with --payload, with another payload.

Examples:
  waggle dlq list
  waggle dlq show 01jd…
  waggle dlq replay 01jd…
  waggle dlq show 01jd… --json | jq .payload > fixed.json
  waggle dlq replay 01jd… --payload fixed.json
`

export function addDeadLetters(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const dlq = program
    .command('dlq')
    .summary('dead letters: list, show, replay')
    .description('Messages that could not be handled.')
    .addHelpText('after', HELP)
    .showHelpAfterError()

  withEndpoint(dlq.command('list').description('The latest dead letters, newest first.'))
    .option('-n, --limit <count>', 'how many', parseCount, LIST_LIMIT)
    .option('--after <place>', 'those behind the place that the page before ended with')
    .option('--json', 'print JSON')
    .action(async (options: WithEndpoint<{ limit: number; after?: string; json?: boolean }>) => {
      const query = new URLSearchParams({ limit: String(options.limit) })
      if (options.after !== undefined) query.set('after', options.after)
      const endpoint = await findEndpoint(options, terminal)
      const { letters, next } = await request(endpoint, `dead-letters?${query.toString()}`, Letters)
      if (options.json === true) terminal.out(`${JSON.stringify(letters, null, 2)}\n`)
      else if (letters.length === 0) terminal.err('There are no dead letters.\n')
      else for (const letter of letters) terminal.out(`${row(letter, terminal)}\n`)
      if (options.json !== true && next) terminal.err(terminal.errColors.dim(`more with --after ${next}\n`))
      done(ExitCode.ok)
    })

  withEndpoint(dlq.command('show').description('One dead letter with payload, error and history.').argument('<id>'))
    .option('--json', 'print JSON')
    .action(async (id: string, options: WithEndpoint<{ json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const letter = await request(endpoint, `dead-letters/${encodeURIComponent(id)}`, Letter)
      if (options.json === true) terminal.out(`${JSON.stringify(letter, null, 2)}\n`)
      else terminal.out(`${page(letter, terminal)}\n`)
      done(ExitCode.ok)
    })

  withEndpoint(dlq.command('replay').description('Sends a dead letter again.').argument('<id>'))
    .option('--payload <file>', 'with this payload (JSON) instead of its own; - reads stdin')
    .option('--json', 'print JSON')
    .action(async (id: string, options: WithEndpoint<{ payload?: string; json?: boolean }>) => {
      const body = options.payload === undefined ? {} : { payload: await readJson(options.payload, terminal) }
      const endpoint = await findEndpoint(options, terminal)
      const path = `dead-letters/${encodeURIComponent(id)}/replay`
      const replayed = await request(endpoint, path, Replayed, { method: 'POST', body })
      terminal.out(options.json === true ? `${JSON.stringify(replayed)}\n` : `sent again as ${replayed.id}\n`)
      done(ExitCode.ok)
    })
}

function row(letter: z.infer<typeof LetterSummary>, { outColors: colors }: Terminal): string {
  const message =
    letter.message.length > MESSAGE_CHARS ? `${letter.message.slice(0, MESSAGE_CHARS - 1)}…` : letter.message
  const state = letter.state === 'buried' ? '' : colors.dim(`  ${letter.state}`)
  return [
    letter.id,
    colors.dim(new Date(letter.at).toISOString()),
    colors.red(letter.code.padEnd(CODE_COLUMNS)),
    `${letter.subject}  ${message}${state}`,
  ].join('  ')
}

function page(letter: z.infer<typeof Letter>, { outColors: colors }: Terminal): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(letter)) {
    const shown =
      name === 'at'
        ? new Date(letter.at).toISOString()
        : typeof value === 'string'
          ? value
          : JSON.stringify(value, null, 2)
    lines.push(`${colors.bold(name.padEnd(11))} ${shown.replaceAll('\n', `\n${' '.repeat(12)}`)}`)
  }
  return lines.join('\n')
}
