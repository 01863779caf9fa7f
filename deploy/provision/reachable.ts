/** Whether a host answers at all, so that a closed network costs seconds and not every client's own patience. */
import { connect } from 'node:net'

import { coerceError } from '#shared/errors/waggle-error.ts'

export const CONNECT_TIMEOUT_MS = 2000

/** The reason why not, or undefined when it can be reached (or a proxy is set, of which only the client knows). */
export function unreachableReason(
  url: string,
  timeoutMs: number = CONNECT_TIMEOUT_MS,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const target = new URL(url)
  if (proxyIsSet(target.protocol, env)) return Promise.resolve(undefined)
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port)
  return new Promise((resolve) => {
    const socket = connect({ host: target.hostname, port })
    const timer = setTimeout(() => finish(`${target.host} did not answer within ${timeoutMs} ms`), timeoutMs)
    const finish = (reason: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reason)
    }
    socket.once('connect', () => finish(undefined))
    socket.once('error', (thrown) => finish(`${target.host}: ${coerceError(thrown).message}`))
  })
}

function proxyIsSet(protocol: string, env: NodeJS.ProcessEnv): boolean {
  const name = protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  return [name, name.toUpperCase()].some((variable) => (env[variable] ?? '') !== '')
}
