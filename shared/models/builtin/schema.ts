import { splitName } from '#shared/text/words.ts'

/**
 * A tool's JSON Schema, read once into slots. Dialects met in the wild are mapped on reading: `dict` is object, `float`
 * and `double` are number, `tuple` and `list` are array, `int` is integer, `bool` is boolean, `any` is no restriction.
 * Depth and count are bounded, because a schema may come from a tenant: what lies beyond is left out, as if optional.
 */
export type SlotType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'any'

export interface Slot {
  readonly name: string
  readonly type: SlotType
  readonly description: string
  readonly required: boolean
  /** Values of `enum` or `const`: nothing else is valid. */
  readonly choices: readonly unknown[] | null
  /** Values named in the description: what people usually say here. */
  readonly hints: readonly string[]
  readonly pattern: string | null
  readonly format: string | null
  /** From `default`, or from a "default is X" in the description; undefined when there is none. */
  readonly fallback: unknown
  readonly examples: readonly unknown[]
  readonly minimum: number | null
  readonly maximum: number | null
  readonly items: Slot | null
  readonly fields: readonly Slot[]
  /** The question to ask for this slot, when the schema carries one (`x-ask`). */
  readonly ask: string | null
}

export const MAX_SLOTS = 64
export const MAX_SCHEMA_DEPTH = 4
/** Longer descriptions are read to here. */
export const MAX_DESCRIPTION_CHARS = 2_000
const MAX_CHOICES = 200

type Json = Readonly<Record<string, unknown>>

export function readSlots(schema: unknown): Slot[] {
  const root = isRecord(schema) ? schema : {}
  return readFields(root, root, 0)
}

function readFields(schema: Json, root: Json, depth: number): Slot[] {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {}
  const required = new Set(Array.isArray(schema['required']) ? schema['required'].map(String) : [])
  const slots: Slot[] = []
  for (const [name, property] of Object.entries(properties)) {
    if (slots.length >= MAX_SLOTS) break
    // Arguments are plain objects: this name would reach their prototype.
    if (name === '__proto__') continue
    const optional = isRecord(property) && property['optional'] === true
    slots.push(readSlot(name, property, required.has(name) && !optional, root, depth + 1))
  }
  return slots
}

function readSlot(name: string, raw: unknown, required: boolean, root: Json, depth: number): Slot {
  const schema = resolve(raw, root, 0)
  const type = readType(schema)
  const description = text(schema['description']).slice(0, MAX_DESCRIPTION_CHARS)
  const deep = depth >= MAX_SCHEMA_DEPTH
  const fields = type === 'object' && !deep ? readFields(schema, root, depth) : []
  const items = type === 'array' && !deep ? readSlot(name, itemSchema(schema), true, root, depth + 1) : null
  const listed = Array.isArray(schema['enum']) ? schema['enum'].slice(0, MAX_CHOICES) : undefined
  const choices = 'const' in schema ? [schema['const']] : (listed ?? null)
  return {
    name,
    type,
    description,
    required,
    choices,
    hints: choices === null ? readHints(description) : [],
    pattern: typeof schema['pattern'] === 'string' ? schema['pattern'] : null,
    format: typeof schema['format'] === 'string' ? schema['format'] : null,
    fallback: readFallback(schema, description, type),
    examples: Array.isArray(schema['examples']) ? schema['examples'].slice(0, MAX_CHOICES) : [],
    minimum: finite(schema['minimum'] ?? schema['exclusiveMinimum']),
    maximum: finite(schema['maximum'] ?? schema['exclusiveMaximum']),
    items,
    fields,
    ask: typeof schema['x-ask'] === 'string' ? schema['x-ask'] : null,
  }
}

const TYPES: Readonly<Record<string, SlotType>> = {
  string: 'string',
  str: 'string',
  char: 'string',
  integer: 'integer',
  int: 'integer',
  long: 'integer',
  number: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  bool: 'boolean',
  array: 'array',
  list: 'array',
  tuple: 'array',
  arraylist: 'array',
  object: 'object',
  dict: 'object',
  hashmap: 'object',
  any: 'any',
}

function readType(schema: Json): SlotType {
  const named = Array.isArray(schema['type']) ? schema['type'].find((type) => type !== 'null') : schema['type']
  const known = typeof named === 'string' ? TYPES[named.toLowerCase()] : undefined
  if (known !== undefined) return known
  if (isRecord(schema['properties'])) return 'object'
  if (schema['items'] !== undefined) return 'array'
  const sample = Array.isArray(schema['enum']) ? schema['enum'][0] : schema['const']
  if (typeof sample === 'string') return 'string'
  if (typeof sample === 'number') return 'number'
  if (typeof sample === 'boolean') return 'boolean'
  return 'any'
}

function itemSchema(schema: Json): unknown {
  const items = schema['items'] ?? schema['prefixItems']
  return Array.isArray(items) ? items[0] : items
}

/** Follows local references and takes the first real branch of a union. */
function resolve(raw: unknown, root: Json, hops: number): Json {
  if (!isRecord(raw)) return {}
  if (hops > MAX_SCHEMA_DEPTH) return {}
  const ref = raw['$ref']
  if (typeof ref === 'string' && ref.startsWith('#/')) {
    let target: unknown = root
    for (const part of ref.slice(2).split('/')) target = isRecord(target) ? target[part] : undefined
    return { ...resolve(target, root, hops + 1), ...without(raw, '$ref') }
  }
  for (const union of ['anyOf', 'oneOf', 'allOf'] as const) {
    const branches = raw[union]
    if (!Array.isArray(branches)) continue
    const real = branches.find((branch) => isRecord(branch) && branch['type'] !== 'null')
    return { ...resolve(real, root, hops + 1), ...without(raw, union) }
  }
  return raw
}

function without(schema: Json, key: string): Json {
  const { [key]: _, ...rest } = schema
  return rest
}

const DEFAULT_SAID =
  /\b(?:defaults?|default value)(?:\s+(?:is|to|value|set|be|as|will|of|it|which))*\s*[:=]?\s*(?:"([^"]{1,60})"|'([^']{1,60})'|`([^`]{1,60})`|(-?\d+(?:\.\d+)?)|(true|false)\b|([\p{L}\p{N}/_-]{1,40}))/iu
const NOT_A_DEFAULT = new Set([
  'the',
  'a',
  'an',
  'empty',
  'none',
  'null',
  'all',
  'not',
  'no',
  'current',
  'today',
  'if',
  'using',
])

function readFallback(schema: Json, description: string, type: SlotType): unknown {
  if (schema['default'] !== undefined && schema['default'] !== null) return schema['default']
  const said = DEFAULT_SAID.exec(description)
  if (said === null) return undefined
  const value = said[1] ?? said[2] ?? said[3] ?? said[4] ?? said[5] ?? said[6] ?? ''
  if (said[6] !== undefined && NOT_A_DEFAULT.has(value.toLowerCase())) return undefined
  switch (type) {
    case 'integer':
    case 'number':
      return finite(Number(value)) ?? undefined
    case 'boolean':
      return /^(?:true|false)$/i.test(value) ? /^true$/i.test(value) : undefined
    case 'string':
    case 'any':
      return value
    case 'array':
    case 'object':
      return undefined
  }
}

const QUOTED = /(?<![\p{L}\p{N}])(?:'([^'\n]{1,40})'|"([^"\n]{1,40})"|`([^`\n]{1,40})`)(?![\p{L}\p{N}])/gu
const OPTIONS =
  /\b(?:options?|possible values?|allowed values?|valid values?|choices|one of|either|can be|supports?|supported|such as|like|e\.g\.?,?|for example,?|ex:)\s*(?:are|is|include|:|,)*\s*([^.;)]{3,160})/giu

/** `Unit, either 'metric' or 'imperial'` names its own values; so does `Options: single, double, suite`. */
function readHints(description: string): string[] {
  const hints = new Set<string>()
  for (const match of description.matchAll(QUOTED)) hints.add((match[1] ?? match[2] ?? match[3] ?? '').trim())
  if (hints.size < 2) {
    for (const match of description.matchAll(OPTIONS)) {
      const parts = (match[1] ?? '')
        .split(/,|\bor\b|\band\b|\//)
        .map((part) => part.trim().replace(/^['"`]|['"`]$/g, ''))
      if (parts.length < 2) continue
      for (const part of parts)
        if (part !== '' && splitName(part).length <= 3 && !/^(?:etc|more)$/i.test(part)) hints.add(part)
    }
  }
  hints.delete('')
  return [...hints].slice(0, MAX_CHOICES)
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isNumeric(slot: Slot | null): boolean {
  return slot?.type === 'integer' || slot?.type === 'number'
}
