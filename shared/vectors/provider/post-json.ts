import { WaggleError } from '#shared/errors/waggle-error.ts'
import { AddressRefused } from '#shared/lib/outbound/address-rules.ts'
import { providerError } from '#shared/models/openai/provider-error.ts'

export interface JsonPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly maxBytes: number
  /** Never to be repeated in an error, whatever the provider echoes. */
  readonly secrets: readonly string[]
}

/**
 * One request, and its answer as JSON. Throws coded errors only: those of a provider, ADDRESS_REFUSED, CANCELLED. Redirects
 * are not followed, for they would carry the key to wherever they lead.
 */
export async function postJson(
  post: JsonPost,
  deps: { readonly fetch: typeof fetch; readonly now: () => number },
  signal: AbortSignal,
): Promise<unknown> {
  let begun = false
  try {
    const response = await deps.fetch(post.url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...post.headers },
      body: JSON.stringify(post.body),
      redirect: 'manual',
      signal,
    })
    begun = true
    const text = await readText(response, post.maxBytes)
    if (!response.ok) throw new Refusal(response, text)
    return JSON.parse(text) as unknown
  } catch (thrown) {
    const refused = addressRefused(thrown)
    if (refused !== null) throw new WaggleError('ADDRESS_REFUSED', { reason: `${refused.message}.` })
    throw providerError(thrown, { begun, signal, now: deps.now(), secrets: post.secrets })
  }
}

/** An answer that is no success, in the form that `providerError` reads: status, headers, and the provider's own word. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly headers: Headers
  readonly code: string | undefined
  readonly type: string | undefined

  constructor(response: Response, text: string) {
    const said = wordsOf(text)
    const redirected = response.status >= 300 && response.status < 400
    super(redirected ? 'It answered with a redirect, which is not followed.' : said.message)
    // As refused as any other request that cannot succeed when it is repeated.
    this.status = redirected ? 400 : response.status
    this.headers = new Headers([...response.headers])
    this.code = said.code
    this.type = said.type
  }
}

/** OpenAI and Google say `{error: {message, code, type}}`, Ollama and TEI `{error: text}`, Cohere and Jina `{message}` or `{detail}`. */
function wordsOf(text: string): { message: string; code?: string; type?: string } {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { message: text }
  }
  const outer = fieldsOf(body)
  const inner = fieldsOf(outer['error'])
  const message = [inner['message'], outer['error'], outer['message'], outer['detail']].find(isText) ?? text
  const code = [inner['code'], inner['status']].find(isText)
  const type = [inner['type'], outer['error_type']].find(isText)
  return { message, ...(code !== undefined && { code }), ...(type !== undefined && { type }) }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  const body = response.body as AsyncIterable<Uint8Array> | null
  // Leaving the loop ends the connection.
  for await (const part of body ?? []) {
    bytes += part.byteLength
    if (bytes > maxBytes)
      throw new WaggleError('MODEL_MALFORMED', { reason: `The answer is larger than ${maxBytes} bytes.` })
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function addressRefused(thrown: unknown): AddressRefused | null {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (error instanceof AddressRefused) return error
  return null
}
