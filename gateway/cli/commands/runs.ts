import type { Command } from 'commander'
import type { z } from 'zod'
import { SendReceipt } from '#shared/contracts/client.ts'
import { CheckpointList, CheckpointView, RunSummary } from '#shared/contracts/directory.ts'
import { findEndpoint } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { request } from '../rest.ts'
import type { Terminal } from '../terminal.ts'
import { withEndpoint } from './options.ts'
import type { WithEndpoint } from './options.ts'

const ROLE_COLUMNS = 9

const HELP = `
A run keeps some of its checkpoints: what the model was told by then, and what it had said. Forking begins a new run from
one of them, as a new turn on a branch of the conversation.

Examples:
  waggle runs checkpoints 01jd…
  waggle runs show 01jd… 1f0a…
  waggle runs fork 01jd… 1f0a…
`

export function addRuns(program: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  const runs = program
    .command('runs')
    .summary('runs of agents: their checkpoints, forking')
    .description('Looks back at runs of agents, and goes on from where they were.')
    .addHelpText('after', HELP)
    .showHelpAfterError()
  const printed = (value: unknown): void => terminal.out(`${JSON.stringify(value, null, 2)}\n`)

  withEndpoint(runs.command('checkpoints').description('Checkpoints of a run, newest first.').argument('<run>'))
    .option('--json', 'print JSON')
    .action(async (run: string, options: WithEndpoint<{ json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const { checkpoints } = await request(endpoint, `runs/${encodeURIComponent(run)}/checkpoints`, CheckpointList)
      if (options.json === true) printed(checkpoints)
      else if (checkpoints.length === 0) terminal.err('It has kept no checkpoints.\n')
      else
        for (const { id, at, steps, messages, answer } of checkpoints)
          terminal.out(`${id}  ${at}  ${steps} steps, ${messages} messages${answer === '' ? '' : ', answered'}\n`)
      done(ExitCode.ok)
    })

  withEndpoint(runs.command('show').description('A run at a checkpoint.').argument('<run>').argument('<checkpoint>'))
    .option('--json', 'print JSON')
    .action(async (run: string, checkpoint: string, options: WithEndpoint<{ json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const path = `runs/${encodeURIComponent(run)}/checkpoints/${encodeURIComponent(checkpoint)}`
      const state = await request(endpoint, path, CheckpointView)
      if (options.json === true) printed(state)
      else for (const message of state.messages) terminal.out(`${line(message, terminal)}\n`)
      done(ExitCode.ok)
    })

  withEndpoint(
    runs
      .command('fork')
      .description('A new run from a checkpoint, on a branch of its own.')
      .argument('<run>')
      .argument('<checkpoint>'),
  )
    .option('--json', 'print JSON')
    .action(async (run: string, checkpointId: string, options: WithEndpoint<{ json?: boolean }>) => {
      const endpoint = await findEndpoint(options, terminal)
      const { conversationId } = await request(endpoint, `runs/${encodeURIComponent(run)}`, RunSummary)
      const path = `conversations/${encodeURIComponent(conversationId)}/runs/${encodeURIComponent(run)}/fork`
      const receipt = await request(endpoint, path, SendReceipt, { method: 'POST', body: { checkpointId } })
      if (options.json === true) printed(receipt)
      else terminal.out(`turn ${receipt.turnId} of conversation ${conversationId} goes on from there\n`)
      done(ExitCode.ok)
    })
}

function line(
  { role, text, calls }: z.infer<typeof CheckpointView>['messages'][number],
  { outColors: colors }: Terminal,
): string {
  const called = calls.map(({ name, args }) => `→ ${name}(${JSON.stringify(args)})`)
  return `${colors.bold(role.padEnd(ROLE_COLUMNS))} ${[text, ...called].filter((part) => part !== '').join(' ')}`
}
