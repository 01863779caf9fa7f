import { createClient } from '#gateway/client/client.ts'
import type { Client } from '#gateway/client/client.ts'
import type { ConnectionState } from '#gateway/client/link.ts'
import { CliError, fromClientError } from './cli-error.ts'
import { findEndpoint } from './endpoint.ts'
import type { EndpointOptions } from './endpoint.ts'
import { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/** Once connected, a client waits as long as it takes; this is for the first time. */
export const CONNECT_WAIT_MS = 5_000

/** A client that has been connected, or a reason why not. */
export async function connect(options: EndpointOptions, terminal: Terminal): Promise<Client> {
  const endpoint = await findEndpoint(options, terminal)
  const client = createClient(endpoint)
  try {
    await connected(client, endpoint.url)
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

function connected(client: Client, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error: CliError | null): void => {
      clearTimeout(timer)
      unsubscribe()
      if (error === null) resolve()
      else reject(error)
    }
    const look = (): void => {
      const state = client.connection.latest
      if (state.status === 'live') done(null)
      else if (state.refused && state.error !== null) done(fromClientError(state.error))
      // A refused port will not open by waiting: the first failure tells.
      else if (state.attempt > 0) done(unreachable(url, state))
    }
    const timer = setTimeout(() => done(unreachable(url, client.connection.latest)), CONNECT_WAIT_MS)
    const unsubscribe = client.connection.subscribe(look)
    look()
  })
}

function unreachable(url: string, { error }: ConnectionState): CliError {
  const reason = error?.details['reason']
  const why = typeof reason === 'string' ? ` (${reason})` : ''
  return new CliError(
    ExitCode.noGateway,
    `No gateway answers at ${url}${why}.`,
    'Start one with `npm start` or `npx waggle up`; `npx waggle doctor` says what is missing.',
  )
}
