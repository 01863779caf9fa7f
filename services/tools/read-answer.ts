import { toolFailure } from './failure.ts'
import type { Incoming } from './send-request.ts'

/** Deeper JSON is refused: it has to be walked, packed and shown. */
export const MAX_RESULT_DEPTH = 40
const MAX_SAID_CHARS = 500

/** JSON as its value, other text as it is. Throws what the status says. */
export function readAnswer(incoming: Incoming, method: 'GET' | 'POST'): unknown {
  const { status, contentType, text } = incoming
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType)
  const isText = contentType === '' || /^text\//i.test(contentType)
  if (status >= 200 && status < 300) {
    if (status === 204 || text === '') return null
    if (isJson) return parseJson(text)
    if (isText) return text
    throw toolFailure('TOOL_FAILED', method === 'POST' ? 'unknown' : 'no', 'The answer is neither JSON nor text.')
  }
  const said = wordsOf(isJson ? safeJson(text) : null)
  // That there is no such thing is an answer to somebody who looks it up.
  if (status === 404 && method === 'GET' && said !== '') return said
  const happened = status >= 500 && method === 'POST' ? 'unknown' : 'no'
  const more = { status, ...(said === '' ? {} : { said }), ...retryAfterOf(incoming) }
  if (status === 404 || status === 410) throw toolFailure('NOT_FOUND', happened, said, more)
  if (status === 401 || status === 403) throw toolFailure('TOOL_DENIED', happened, said, more)
  throw toolFailure('TOOL_FAILED', happened, said === '' ? `It answered ${status}.` : said, more)
}

function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = text.includes('__proto__') ? JSON.parse(text, withoutPrototypes) : JSON.parse(text)
  } catch {
    throw toolFailure('TOOL_FAILED', 'unknown', 'The answer claims to be JSON and is not.')
  }
  if (depthExceeds(value, MAX_RESULT_DEPTH))
    throw toolFailure('TOO_LARGE', 'unknown', `The answer is nested deeper than ${MAX_RESULT_DEPTH}.`, {
      limit: MAX_RESULT_DEPTH,
    })
  return value
}

function withoutPrototypes(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The sentence of an error in one of the usual forms (RFC 9457 and its relatives). */
function wordsOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return ''
  const fields = body as Record<string, unknown>
  for (const name of ['detail', 'message', 'error_description', 'error', 'title']) {
    const value = fields[name]
    if (typeof value === 'string' && value.trim() !== '') return value.trim().slice(0, MAX_SAID_CHARS)
    if (typeof value === 'object' && value !== null) {
      const inner = wordsOf(value)
      if (inner !== '') return inner
    }
  }
  return ''
}

function retryAfterOf({ retryAfter }: Incoming): { retryAfterMs?: number } {
  return /^\d{1,6}$/.test(retryAfter) ? { retryAfterMs: Number(retryAfter) * 1_000 } : {}
}

function depthExceeds(value: unknown, limit: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return false
}
