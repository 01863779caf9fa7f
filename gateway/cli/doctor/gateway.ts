import { CliError } from '../cli-error.ts'
import { findEndpoint } from '../endpoint.ts'
import type { EndpointOptions } from '../endpoint.ts'
import { ok, warn } from './finding.ts'
import type { Check } from './finding.ts'

const READY_TIMEOUT_MS = 3_000

/** Whether the gateway that the other commands would use is there and says that it is ready. */
export function checkGateway(options: EndpointOptions): Check {
  return async ({ terminal }) => {
    let url: string
    try {
      url = (await findEndpoint(options, terminal)).url
    } catch (thrown) {
      if (thrown instanceof CliError) return warn('gateway', thrown.message, thrown.action)
      throw thrown
    }
    try {
      const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })
      return response.ok
        ? ok('gateway', `${url} is ready`)
        : warn('gateway', `${url} is there and not ready (${response.status})`, 'Wait, or look at its log.')
    } catch {
      return warn('gateway', `${url} does not answer`, 'Start it with `npm start` or `npx waggle up`.')
    }
  }
}
