import type { Dispatcher } from 'undici'
import { WaggleError, coded, refuse } from '#shared/errors/waggle-error.ts'
import { AddressRefused, checkUrl } from '#shared/lib/outbound/address-rules.ts'
import type { OutboundRules } from '#shared/lib/outbound/address-rules.ts'

export interface Fetched {
  readonly bytes: Uint8Array
  readonly mime: string
  /** Where it was found in the end. */
  readonly url: string
}

const MAX_REDIRECTS = 5
const TIMEOUT_MS = 60_000
const MAX_BYTES = 50 * 1024 * 1024
const REDIRECTS = [301, 302, 303, 307, 308]
const HEADERS = {
  accept: 'text/html,application/pdf,text/*;q=0.9,*/*;q=0.5',
  'accept-encoding': 'identity',
  'user-agent': 'waggle',
}

/**
 * Reads an address. Each hop is checked before it is asked and again when it is connected to (`guardedAgent`), so that
 * neither a redirect nor a name that changes its address leads to a private network.
 */
export async function fetchSource(
  agent: Dispatcher,
  rules: OutboundRules,
  address: string,
  given: AbortSignal,
): Promise<Fetched> {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  const signal = AbortSignal.any([given, late])
  try {
    return await follow(agent, rules, new URL(address), signal)
  } catch (error) {
    if (given.aborted) throw coded(given.reason, 'CANCELLED')
    throw explain(error, new URL(address).host, late.aborted)
  }
}

async function follow(agent: Dispatcher, rules: OutboundRules, first: URL, signal: AbortSignal): Promise<Fetched> {
  let url = first
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    checkUrl(url, rules)
    const response = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers: HEADERS,
      signal,
    })
    const location = headerOf(response, 'location')
    if (REDIRECTS.includes(response.statusCode) && location !== '') {
      response.body.on('error', () => {}).destroy()
      if (!URL.canParse(location, url.href)) throw unreadable('The redirect leads to no address.')
      url = new URL(location, url)
      continue
    }
    if (response.statusCode !== 200) {
      response.body.on('error', () => {}).destroy()
      throw unreadable(`${url.host} answered ${response.statusCode}.`)
    }
    return {
      bytes: await read(response),
      mime: headerOf(response, 'content-type').split(';')[0]!.trim(),
      url: url.href,
    }
  }
  throw unreadable(`More than ${MAX_REDIRECTS} redirects.`)
}

async function read({ body }: Dispatcher.ResponseData): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.byteLength
    if (size > MAX_BYTES) {
      body.destroy()
      throw refuse('DOCUMENT_TOO_LARGE', { reason: `It is larger than ${MAX_BYTES} bytes.`, limit: MAX_BYTES })
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}

function explain(error: unknown, host: string, tooLate: boolean): WaggleError {
  if (error instanceof WaggleError) return error
  const refused = [error, error instanceof Error ? error.cause : null].find((one) => one instanceof AddressRefused)
  if (refused instanceof AddressRefused) return refuse('ADDRESS_REFUSED', { reason: `${refused.message}.` })
  return unreadable(tooLate ? `${host} did not answer within ${TIMEOUT_MS} ms.` : `${host} could not be asked.`)
}

function unreadable(reason: string): WaggleError {
  return refuse('DOCUMENT_UNREADABLE', { reason })
}
