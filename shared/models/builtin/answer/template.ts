import { isRecord } from '../schema.ts'

/**
 * How a tool says its result: text with `{field}` placeholders, dotted for what lies deeper (`{carrier.name}`), read from
 * the result and, failing that, from the arguments. A part in square brackets is left out when one of its fields is
 * missing: `Order {id} is {status}[, expected {eta}].` A field missing outside brackets makes the template unusable for
 * this result, and it is rendered plainly instead: half a sentence would say something nobody said.
 */
export function fillTemplate(
  template: string,
  result: unknown,
  args: Readonly<Record<string, unknown>>,
): string | null {
  let complete = true
  const fill = (part: string, onMissing: () => void): string =>
    part.replace(PLACEHOLDER, (_, path: string) => {
      const value = lookUp(result, path) ?? lookUp(args, path)
      const said = say(value)
      if (said === null) onMissing()
      return said ?? ''
    })
  const optional = template.replace(OPTIONAL, (_, inner: string) => {
    let missing = false
    const filled = fill(inner, () => {
      missing = true
    })
    return missing ? '' : filled.replaceAll('{', OPEN).replaceAll('}', CLOSE)
  })
  const text = fill(optional, () => {
    complete = false
  })
  return complete ? text.replaceAll(OPEN, '{').replaceAll(CLOSE, '}').trim() : null
}

const PLACEHOLDER = /\{([\p{L}_][\p{L}\p{N}_.-]{0,100})\}/gu
const OPTIONAL = /\[([^[\]]{0,1000})\]/g
/** Braces in a value must not be read as a placeholder again. */
const OPEN = '\uE000'
const CLOSE = '\uE001'

function lookUp(source: unknown, path: string): unknown {
  let here: unknown = source
  for (const part of path.split('.')) here = isRecord(here) && Object.hasOwn(here, part) ? here[part] : undefined
  return here
}

const MAX_LISTED = 10

/** A value in words; null when there is nothing to say. */
export function say(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) {
    const said = value
      .slice(0, MAX_LISTED)
      .map(say)
      .filter((part) => part !== null)
    if (said.length === 0) return null
    const more = value.length > MAX_LISTED ? [`${value.length - MAX_LISTED} more`] : []
    return [...said, ...more].join(', ')
  }
  if (isRecord(value)) {
    const said = Object.entries(value)
      .slice(0, MAX_LISTED)
      .map(([key, inner]) => ({ key, inner: say(inner) }))
      .filter((entry) => entry.inner !== null)
    return said.length === 0 ? null : said.map(({ key, inner }) => `${humanName(key)} ${inner}`).join(', ')
  }
  return null
}

/** `order_id`, `etaDate` -> `order id`, `eta date`. */
export function humanName(key: string): string {
  return key
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/[_.-]+/g, ' ')
    .trim()
    .toLowerCase()
}
