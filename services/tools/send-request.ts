import type { Dispatcher } from 'undici'
import { coded, WaggleError } from '#shared/errors/waggle-error.ts'
import { AddressRefused, checkUrl } from '#shared/lib/outbound/address-rules.ts'
import type { OutboundRules } from '#shared/lib/outbound/address-rules.ts'
import { toolFailure } from './failure.ts'
import { readBody } from './read-body.ts'

/**
 * One request of a tool and its answer, redirects included. Every hop is checked like the first (and again on connecting);
 * what the row and the user add (headers, token, body) stays with the origin it was meant for.
 */
export interface Outgoing {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  /** Lower-case names. Sent to the origin of `url` only. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface Incoming {
  readonly status: number
  readonly contentType: string
  readonly text: string
  readonly retryAfter: string
}

export const MAX_REDIRECTS = 3
const ACCEPT = { accept: 'application/json, text/*;q=0.5', 'accept-encoding': 'identity', 'user-agent': 'waggle' }
/** Nothing was sent yet when one of these is met. */
const NOT_CONNECTED = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

export interface Line {
  readonly agent: Dispatcher
  readonly rules: OutboundRules
}

/** Throws coded errors only. Aborting `signal` ends the request at once. */
export async function sendRequest(line: Line, outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), outgoing.timeoutMs)
  try {
    return await follow(line, outgoing, AbortSignal.any([signal, late.signal]))
  } catch (error) {
    // Somebody asked for the end, or the deadline of the whole call passed: that is the reason, whatever broke first.
    if (signal.aborted) throw coded(signal.reason, 'CANCELLED')
    throw explain(error, outgoing, late.signal.aborted)
  } finally {
    clearTimeout(timer)
  }
}

async function follow(line: Line, outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
  let { url, method, body } = outgoing
  for (let hop = 0; ; hop++) {
    checkUrl(url, line.rules)
    const home = url.origin === outgoing.url.origin
    const response = await line.agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { ...ACCEPT, ...(home ? outgoing.headers : {}) },
      body: home ? body : null,
      signal,
    })
    const location = headerOf(response.headers, 'location')
    const { statusCode: status } = response
    if (![301, 302, 303, 307, 308].includes(status) || location === '')
      return {
        status,
        contentType: headerOf(response.headers, 'content-type'),
        text: await readBody(response.body, headerOf(response.headers, 'content-encoding'), outgoing.maxBytes),
        retryAfter: headerOf(response.headers, 'retry-after'),
      }
    response.body.on('error', () => {}).destroy()
    if (hop >= MAX_REDIRECTS) throw toolFailure('TOOL_FAILED', 'no', `More than ${MAX_REDIRECTS} redirects.`)
    const next = redirectTarget(location, url)
    if (method === 'POST') {
      // 303 is the answer to a POST that was accepted; any other one would repeat or change it.
      if (status !== 303 && next.origin !== url.origin)
        throw toolFailure(
          'TOOL_FAILED',
          'no',
          'The request was redirected to another host, which it is not repeated to.',
        )
      if (status === 301 || status === 302)
        throw toolFailure('TOOL_FAILED', 'no', 'The request was redirected in a way that would change it.')
      if (status === 303) [method, body] = ['GET', null]
    }
    url = next
  }
}

function redirectTarget(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw toolFailure('TOOL_FAILED', 'no', 'The redirect leads to no address.')
  const next = new URL(location, from)
  next.hash = ''
  return next
}

function headerOf(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

/** Never holds what was sent: neither headers nor the whole address. */
function explain(error: unknown, { method, timeoutMs, url }: Outgoing, tooLate: boolean): WaggleError {
  if (error instanceof WaggleError) return error
  const refused = error instanceof AddressRefused ? error : causedBy(error)
  if (refused !== null) return toolFailure('ADDRESS_REFUSED', 'no', `${refused.message}.`)
  const code = codeOf(error)
  const host = url.host
  const sent = !NOT_CONNECTED.has(code)
  const reason = tooLate ? `${host} did not answer within ${timeoutMs} ms.` : `${host} could not be asked (${code}).`
  if (method === 'GET' || !sent) return toolFailure('TOOL_FAILED', 'no', reason)
  // Sent and not answered: whether it happened is not known, which is what this code means to the ledger (I3).
  return new WaggleError('DEADLINE', { reason, happened: 'unknown' }, { expected: true })
}

function causedBy(error: unknown): AddressRefused | null {
  const cause = error instanceof Error ? error.cause : null
  return cause instanceof AddressRefused ? cause : null
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown'
}
