import { toolFailure } from './failure.ts'
import { asText } from './url-template.ts'

/** Set by the client itself, or would change where a request goes or what it is; a row may not name them. */
const RESERVED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'proxy-authorization',
  'proxy-connection',
  'accept-encoding',
  'content-encoding',
])
const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}$/
const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g
const MAX_VALUE_CHARS = 4_096
const MAX_HEADERS = 40

export interface HeaderTemplate {
  /** Names of the arguments that it takes up. */
  readonly names: ReadonlySet<string>
  fill(args: Readonly<Record<string, unknown>>): Record<string, string>
}

/** Throws an Error in plain words when the headers cannot be used. */
export function parseHeaders(headers: Readonly<Record<string, string>>, injected: ReadonlySet<string>): HeaderTemplate {
  const entries = Object.entries(headers)
  if (entries.length > MAX_HEADERS) throw new Error(`more than ${MAX_HEADERS} headers`)
  for (const [name, value] of entries) {
    const lower = name.toLowerCase()
    if (!NAME.test(name) || RESERVED.has(lower)) throw new Error(`the header "${name.slice(0, 80)}" is not allowed`)
    if (injected.has(lower)) throw new Error(`the header "${name}" is set by the system`)
    if (typeof value !== 'string' || !isHeaderValue(value))
      throw new Error(`the header "${name}" has a value that is not allowed`)
  }
  return {
    names: new Set(entries.flatMap(([, value]) => Array.from(value.matchAll(PLACEHOLDER), (found) => found[1]!))),
    fill(args) {
      const filled: Record<string, string> = {}
      for (const [name, template] of entries) {
        let absent = false
        const value = template.replace(PLACEHOLDER, (_, argument: string) => {
          const text = asText(args[argument])
          absent ||= text === null
          return text ?? ''
        })
        if (absent) continue
        if (!isHeaderValue(value))
          throw toolFailure('TOOL_ARGS', 'no', `An argument holds characters that the header ${name} cannot.`)
        filled[name.toLowerCase()] = value
      }
      return filled
    },
  }
}

/** Visible ASCII, spaces and tabs: a line end would begin another header. */
export function isHeaderValue(value: string): boolean {
  return value.length <= MAX_VALUE_CHARS && /^[\t\x20-\x7e]*$/.test(value)
}
