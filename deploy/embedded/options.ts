import { parseArgs } from 'node:util'
import { WaggleError } from '#shared/errors/waggle-error.ts'

export interface StackOptions {
  /** Each role as a process of its own. */
  readonly processes: boolean
  /** Remove the state first. */
  readonly reset: boolean
  readonly port: number | null
  readonly help: boolean
}

export const HELP = `Starts all of Waggle on this machine: a nats-server, PostgreSQL, every role, and the gateway.

  npm start                        everything in one process, state in .waggle/
  npm start -- --processes         each role as a process of its own, started again when it dies
  npm start -- --reset             begin anew: removes the state first
  npm start -- --port 9000         another port for the page and the API (0: a free one)

With NATS_URL and DATABASE_URL set, those servers are used instead. Every variable: shared/config/variables.ts
Ctrl-C leaves in good order: what is under way may finish. Ctrl-C again ends at once.`

/** Throws BAD_INPUT on anything it does not know. */
export function readOptions(args: readonly string[]): StackOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        processes: { type: 'boolean' },
        reset: { type: 'boolean' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const port = values.port === undefined ? null : Number(values.port)
    if (port !== null && (!Number.isInteger(port) || port < 0 || port > 65_535))
      throw new Error(`--port ${values.port} is not a port`)
    return { processes: values.processes === true, reset: values.reset === true, port, help: values.help === true }
  } catch (error) {
    throw new WaggleError('BAD_INPUT', { reason: error instanceof Error ? error.message : String(error) })
  }
}
