import { toolFailure } from './failure.ts'

/**
 * `https://orders.example.com/v1/orders/{order_id}?lang={lang}`. Scheme, host and port are the row's own: an argument can
 * fill a piece of the path or the value of a query field, and can never change where the request goes.
 *
 * - path: a value is one piece, percent-encoded; it may not be empty, `.` or `..`, or hold a slash, since servers differ
 *   in what they make of `%2F`
 * - query: percent-encoded; a field whose argument is absent is left out
 */
export interface UrlTemplate {
  readonly origin: string
  /** Names of the arguments that it takes up. */
  readonly names: ReadonlySet<string>
  fill(args: Readonly<Record<string, unknown>>): URL
}

export const MAX_URL_CHARS = 8_192
const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** Throws an Error in plain words when the template cannot be used. */
export function parseUrlTemplate(template: string): UrlTemplate {
  const match = /^(https?:\/\/[^/?#{}\s]+)([^?#]*)(?:\?([^#]*))?$/.exec(template)
  if (match === null)
    throw new Error('the address must be http(s)://host/path?query, with arguments in path and query only')
  const [, authority = '', path = '', query = ''] = match
  if (!URL.canParse(authority)) throw new Error('the address cannot be read')
  const { origin, username, password } = new URL(authority)
  if (username !== '' || password !== '' || authority.includes('@')) throw new Error('the address holds a user name')
  if (/[{}]/.test((path + query).replace(PLACEHOLDER, '')))
    throw new Error('the address holds a brace that is no argument')
  const sample = path.replace(PLACEHOLDER, 'x')
  if (sample !== '' && new URL(origin + sample).pathname !== sample)
    throw new Error('the path of the address must be written percent-encoded and without dot segments')
  const segments = path.split('/').slice(1)
  const fields = query === '' ? [] : query.split('&')
  const names = new Set(Array.from((path + query).matchAll(PLACEHOLDER), (found) => found[1]!))
  return {
    origin,
    names,
    fill(args) {
      const filledPath = segments.map((segment) => `/${fillSegment(segment, args)}`).join('')
      const filledQuery = fields.flatMap((field) => fillField(field, args)).join('&')
      const written = `${origin}${filledPath === '' ? '/' : filledPath}${filledQuery === '' ? '' : `?${filledQuery}`}`
      if (written.length > MAX_URL_CHARS)
        throw toolFailure('TOOL_ARGS', 'no', 'The arguments make the address too long.')
      const url = new URL(written)
      // What a parser makes of it must be what was written: nothing normalised away.
      if (url.origin !== origin || url.hash !== '' || (filledPath !== '' && url.pathname !== filledPath))
        throw toolFailure('TOOL_ARGS', 'no', 'The arguments do not fit into the address.')
      return url
    },
  }
}

function fillSegment(segment: string, args: Readonly<Record<string, unknown>>): string {
  if (!segment.includes('{')) return segment
  const filled = segment.replace(PLACEHOLDER, (_, name: string) => {
    const value = asText(args[name])
    if (value === null || value === '') throw toolFailure('TOOL_ARGS', 'no', `${name} is missing.`)
    if (/[/\\\p{Cc}]/u.test(value))
      throw toolFailure('TOOL_ARGS', 'no', `${name} holds a character that is not allowed.`)
    return encode(value)
  })
  if (/^(?:\.|%2e){1,2}$/i.test(filled))
    throw toolFailure('TOOL_ARGS', 'no', 'A part of the address may not be dots alone.')
  return filled
}

function fillField(field: string, args: Readonly<Record<string, unknown>>): string[] {
  let absent = false
  const filled = field.replace(PLACEHOLDER, (_, name: string) => {
    const value = asText(args[name])
    absent ||= value === null
    return value === null ? '' : encode(value)
  })
  return absent ? [] : [filled]
}

/** Also what encodeURIComponent leaves alone, so that a value never reads as syntax. */
function encode(value: string): string {
  const code = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  return encodeURIComponent(value.toWellFormed()).replace(/[!'()*]/g, code)
}

/** Null where there is nothing to say; a list or an object has no place in an address. */
export function asText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string' || typeof entry === 'number'))
    return value.join(',')
  throw toolFailure('TOOL_ARGS', 'no', 'A list or an object cannot stand in an address.')
}
