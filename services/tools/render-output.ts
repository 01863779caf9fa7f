import { fillTemplate } from '#shared/models/builtin/answer/template.ts'

const OPTIONAL_OR_FIELD = /\[[^[\]]{0,1000}\]|\{[\p{L}_][\p{L}\p{N}_.-]{0,100}\}/gu
const MAX_ROWS = 10
const MAX_TEXT_CHARS = 8_000
export const NOT_GIVEN = 'not given'

/**
 * The result as a sentence, by the template of the row: `Order {order_id} is {status}[, expected {eta}].` A list of
 * objects is a line for each. A field that the result does not have is said to be missing, never `undefined`; a text
 * says itself; without a template there is no sentence.
 */
export function renderOutput(template: string, result: unknown, args: Readonly<Record<string, unknown>>): string {
  if (typeof result === 'string') return result.slice(0, MAX_TEXT_CHARS)
  if (template === '') return ''
  const rows = Array.isArray(result) && result.some(isObject) ? result.slice(0, MAX_ROWS) : [result]
  const lines = rows.map((row) => fillTemplate(template, row, args) ?? fillWhatIsThere(template, row, args))
  const more =
    Array.isArray(result) && result.length > rows.length ? [`… and ${result.length - rows.length} more.`] : []
  return [...lines, ...more].join('\n').slice(0, MAX_TEXT_CHARS)
}

function fillWhatIsThere(template: string, row: unknown, args: Readonly<Record<string, unknown>>): string {
  const fill = (part: string): string => {
    // The bars keep the spaces at the edges of an optional part.
    const filled = fillTemplate(`|${part}|`, row, args)
    return filled === null ? NOT_GIVEN : filled.slice(1, -1)
  }
  return template.replace(OPTIONAL_OR_FIELD, fill).trim()
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
