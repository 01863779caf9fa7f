/**
 * What a guardrail looks at: a text, or the values of a tool call or result. JSON is looked at value by value, so that a
 * mask never breaks it and an escape (`\nada@…`) never becomes part of what is found.
 */
export interface Subject {
  /** As it was asked about, or as it is after the rewrites so far. */
  readonly text: string
  /** The parts in which something can be found: the whole text, or each key, text and long number of the JSON. */
  readonly parts: readonly string[]
  readonly tool: ToolUse | null
  /** The JSON that it is, undefined when it is none. */
  readonly value: unknown
  /** The same with each part replaced. */
  replace(part: (text: string) => string): Subject
}

export interface ToolUse {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

const MAX_DEPTH = 64
/** Shorter numbers are amounts and counts; longer ones may be cards, phones and accounts. */
const LONG_NUMBER_DIGITS = 7

export function textSubject(text: string): Subject {
  return {
    text,
    parts: [text],
    tool: null,
    value: undefined,
    replace: (part) => textSubject(part(text)),
  }
}

export function callSubject(tool: ToolUse, text: string): Subject {
  return jsonSubject(tool.args, text, (args) => ({ name: tool.name, args: args as ToolUse['args'] }))
}

/** JSON where it is an object or a list; anything else is text. */
export function resultSubject(text: string): Subject {
  if (!/^\s*[[{]/.test(text)) return textSubject(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return textSubject(text)
  }
  return jsonSubject(value, text, () => null)
}

function jsonSubject(value: unknown, text: string, toolOf: (value: unknown) => ToolUse | null): Subject {
  const parts: string[] = []
  mapParts(value, 0, (part) => {
    parts.push(part)
    return part
  })
  return {
    text,
    parts,
    tool: toolOf(value),
    value,
    replace(part) {
      const replaced = mapParts(value, 0, part)
      return jsonSubject(replaced, JSON.stringify(replaced), toolOf)
    },
  }
}

function mapParts(value: unknown, depth: number, part: (text: string) => string): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH}`)
  if (typeof value === 'string') return part(value)
  if (typeof value === 'number') return mapNumber(value, part)
  if (Array.isArray(value)) return value.map((entry) => mapParts(entry, depth + 1, part))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [part(key), mapParts(inner, depth + 1, part)]))
}

function mapNumber(value: number, part: (text: string) => string): unknown {
  const written = String(value)
  if (written.length < LONG_NUMBER_DIGITS) return value
  const replaced = part(written)
  return replaced === written ? value : replaced
}
