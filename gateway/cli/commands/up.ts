import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { ROOT } from '../endpoint.ts'
import { ExitCode } from '../exit-code.ts'
import { parsePort } from './options.ts'

interface UpOptions {
  readonly processes?: boolean
  readonly reset?: boolean
  readonly port?: number
}

const HELP = `
The same as \`npm start\`: broker, database, every role and the gateway, on this machine, without a key or a
configuration. State is kept in .waggle/ (WAGGLE_STATE). With NATS_URL or DATABASE_URL set, those are used instead.
Ctrl-C ends it, after the work at hand is done.

Examples:
  waggle up
  waggle up --port 9000
  waggle up --processes
  waggle up --reset
`

/** The entry of the embedded stack: run as a process, never imported. */
const EMBEDDED = join(ROOT, 'deploy', 'embedded', 'main.ts')

export function addUp(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('up')
    .summary('start everything on this machine')
    .description('Starts the embedded stack and stays until it is ended.')
    .option('--processes', 'each role as its own process')
    .option('--reset', 'forget all state first')
    .option('-p, --port <port>', 'port of the gateway; 0 takes a free one', parsePort)
    .addHelpText('after', HELP)
    .action(async (options: UpOptions) => {
      await access(EMBEDDED).catch(() => {
        throw new CliError(
          ExitCode.failed,
          'The embedded stack is not part of this installation.',
          'Use a full checkout.',
        )
      })
      done(await run([EMBEDDED, ...toArguments(options)]))
    })
}

export function toArguments({ processes, reset, port }: UpOptions): readonly string[] {
  return [
    ...(processes === true ? ['--processes'] : []),
    ...(reset === true ? ['--reset'] : []),
    ...(port === undefined ? [] : ['--port', String(port)]),
  ]
}

function run(args: readonly string[]): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
    // The stack drains by itself: a terminal's Ctrl-C reaches it too, other signals are passed on.
    const interrupt = (): void => {
      if (!process.stdin.isTTY) child.kill('SIGINT')
    }
    const terminate = (signal: NodeJS.Signals): void => void child.kill(signal)
    process.on('SIGINT', interrupt)
    process.on('SIGTERM', terminate)
    process.on('SIGHUP', terminate)
    const leave = (): void => {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', terminate)
      process.off('SIGHUP', terminate)
    }
    child.on('error', (error) => {
      leave()
      reject(error)
    })
    child.on('exit', (code, signal) => {
      leave()
      if (signal === 'SIGINT') resolve(ExitCode.interrupted)
      else resolve(code === 0 ? ExitCode.ok : ExitCode.failed)
    })
  })
}
