import type { Principal } from '#shared/wire/envelope.ts'
import { isAllowed, portOf } from '#shared/lib/outbound/address-rules.ts'
import { toolFailure } from './failure.ts'
import { readAnswer } from './read-answer.ts'
import { redactSecrets } from './redact.ts'
import { isHeaderValue, parseHeaders } from './request-headers.ts'
import type { HeaderTemplate } from './request-headers.ts'
import { sendRequest } from './send-request.ts'
import type { Line } from './send-request.ts'
import type { SecretSource, ToolRow } from './tool-row.ts'
import { parseUrlTemplate } from './url-template.ts'
import type { UrlTemplate } from './url-template.ts'

/**
 * An HTTP request from a row. GET: arguments that the address does not take up become query fields. POST: they become the
 * JSON body. The user's token goes to the origin that stands in the row and nowhere else; a model, an event, a log line
 * and an error never hold it (I14).
 */
export interface HttpParts extends Line {
  /** The user's own token; null when there is none. */
  readonly openCredential: (principal: Principal) => string | null
  readonly secrets: SecretSource | null
}

export interface HttpCall {
  readonly tenant: string
  readonly principal: Principal | null
  readonly args: Readonly<Record<string, unknown>>
  readonly idempotencyKey: string
  readonly signal: AbortSignal
}

export const MAX_TIMEOUT_MS = 120_000
/** A result travels in one message: it must leave room for the rest of it. */
export const MAX_RESULT_BYTES = 512 * 1024
const MAX_TOKEN_CHARS = 8_192

export async function callHttpTool(parts: HttpParts, row: ToolRow, call: HttpCall): Promise<unknown> {
  const { url: template, headers } = compiled(row)
  const url = template.fill(call.args)
  const method = row.kind === 'http_post' ? 'POST' : 'GET'
  const rest = Object.fromEntries(
    Object.entries(call.args).filter(([name]) => !template.names.has(name) && !headers.names.has(name)),
  )
  if (method === 'GET') addFields(url, rest)
  const sent: Record<string, string> = headers.fill(call.args)
  if (method === 'POST') sent['content-type'] = 'application/json'
  if (row.keyHeader !== null) sent[row.keyHeader.toLowerCase()] = headerSafe(call.idempotencyKey)
  const secret = await secretOf(parts, row, call, url)
  if (secret !== null) sent['authorization'] = `Bearer ${secret}`
  const incoming = await sendRequest(
    parts,
    {
      url,
      method,
      headers: sent,
      body: method === 'POST' ? JSON.stringify(rest) : null,
      timeoutMs: Math.min(row.timeoutMs, MAX_TIMEOUT_MS),
      maxBytes: Math.min(row.maxResultBytes, MAX_RESULT_BYTES),
    },
    call.signal,
  )
  const secrets = secret === null ? [] : [secret]
  return readAnswer({ ...incoming, text: redactSecrets(incoming.text, secrets) }, method)
}

interface Compiled {
  readonly url: UrlTemplate
  readonly headers: HeaderTemplate
}

const known = new WeakMap<ToolRow, Compiled>()

function compiled(row: ToolRow): Compiled {
  const found = known.get(row)
  if (found !== undefined) return found
  const injected = new Set(row.keyHeader === null ? [] : [row.keyHeader.toLowerCase()])
  if (row.auth !== 'none') injected.add('authorization')
  try {
    const made = { url: parseUrlTemplate(row.url), headers: parseHeaders(row.headers, injected) }
    if (row.keyHeader !== null) parseHeaders({ [row.keyHeader]: '' }, new Set())
    known.set(row, made)
    return made
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw toolFailure('TOOL_FAILED', 'no', `The definition of ${row.id} cannot be used: ${problem}.`)
  }
}

function addFields(url: URL, rest: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || value === null) continue
    const several = Array.isArray(value) ? value : [value]
    for (const one of several)
      url.searchParams.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one))
  }
}

async function secretOf(parts: HttpParts, row: ToolRow, call: HttpCall, url: URL): Promise<string | null> {
  if (row.auth === 'none') return null
  // In the clear only where the deployment vouches for the way (a service on the same machine).
  if (url.protocol !== 'https:' && !isAllowed(parts.rules, url.hostname, portOf(url)))
    throw toolFailure('ADDRESS_REFUSED', 'no', `${row.id} would send a token over a connection that is not encrypted.`)
  const secret = row.auth === 'user_token' ? userToken(parts, call) : await tenantSecret(parts, row, call)
  if (secret === null) {
    const whose = row.auth === 'user_token' ? 'the user has none' : 'there is no such secret'
    throw toolFailure('TOOL_DENIED', 'no', `${row.id} needs a token, and ${whose}.`)
  }
  if (secret.length > MAX_TOKEN_CHARS || !isToken(secret))
    throw toolFailure('TOOL_DENIED', 'no', 'The token cannot be sent.')
  return secret
}

function userToken(parts: HttpParts, { tenant, principal }: HttpCall): string | null {
  if (principal === null || principal.tenant !== tenant) return null
  return parts.openCredential(principal)
}

async function tenantSecret(parts: HttpParts, row: ToolRow, { tenant }: HttpCall): Promise<string | null> {
  return parts.secrets === null || row.secretId === null ? null : await parts.secrets.open(tenant, row.secretId)
}

function isToken(secret: string): boolean {
  return /^[\x21-\x7e]+$/.test(secret)
}

function headerSafe(key: string): string {
  return isHeaderValue(key) && key !== '' ? key : Buffer.from(key).toString('base64url')
}
