import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { asCliError } from './cli-error.ts'
import type { CliError } from './cli-error.ts'
import { addAsk } from './commands/ask.ts'
import { addChat } from './commands/chat.ts'
import { addControl } from './commands/control.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEval } from './commands/eval.ts'
import { addIngest } from './commands/ingest.ts'
import { addRuns } from './commands/runs.ts'
import { addReviews } from './commands/reviews.ts'
import { addSearch } from './commands/search.ts'
import { addUp } from './commands/up.ts'
import { addWatch } from './commands/watch.ts'
import { ROOT } from './endpoint.ts'
import { EXIT_CODES_HELP, ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

const HELP_COLUMNS = 100

const HELP = `
Examples:
  waggle up                                start everything on this machine
  waggle ask "Where is my order 1042?"     one question, one answer
  waggle chat                              a conversation
  waggle watch --kind tool                 what the swarm's tools do, live
  waggle take 01jd…                        you answer this conversation now
  waggle review list                       what waits for a person's decision
  waggle ingest docs/ -c handbook          documents that agents answer from
  waggle search "refund policy"            passages of them
  waggle doctor                            what is missing, and how to get it

Environment:
  WAGGLE_URL, WAGGLE_TOKEN, WAGGLE_API_KEY   which gateway, and as whom
  WAGGLE_STATE                               folder of the embedded state (.waggle)
  NO_COLOR, FORCE_COLOR                      without, or with colours in any case
${EXIT_CODES_HELP}`

/** Runs one command line to its end and gives the exit code. Never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = ExitCode.ok
  const program = makeProgram(terminal, (done) => (code = done))
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? ExitCode.ok : ExitCode.usage
    const error = asCliError(thrown)
    terminal.err(`${inWords(error, terminal)}\n`)
    return error.exitCode
  }
}

function makeProgram(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const program = new Command('waggle')
    .description('The command line of Waggle: a real-time actor system over NATS for AI agents.')
    .version(version(), '-V, --version')
    .helpOption('-h, --help', 'this text')
    .configureHelp({ helpWidth: Math.min(terminal.columns, HELP_COLUMNS), sortSubcommands: false })
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', HELP)
  addUp(program, done)
  addAsk(program, terminal, done)
  addChat(program, terminal, done)
  addWatch(program, terminal, done)
  addControl(program, terminal, done)
  addIngest(program, terminal, done)
  addSearch(program, terminal, done)
  addEval(program, terminal, done)
  addDoctor(program, terminal, done)
  addDeadLetters(program, terminal, done)
  addRuns(program, terminal, done)
  addReviews(program, terminal, done)
  return program
}

function inWords({ message, code, action }: CliError, { errColors: colors }: Terminal): string {
  const name = code === '' ? 'error' : `error ${code}`
  return `${colors.red(`${name}:`)} ${message}${action === '' ? '' : `\n  → ${action}`}`
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
}
