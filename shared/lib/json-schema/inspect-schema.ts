import { LinearPattern } from '../linear-pattern/linear-pattern.ts'

/**
 * A tenant's JSON Schema is configuration, not trust: it is compiled to code and meets anybody's data. Before that it is
 * copied, and refused where it could cost more than its length suggests or reach outside itself.
 *
 * - `$ref` points into the schema itself (`#/…`), never in a circle; what all references add up to is bounded
 * - patterns must run in linear time; names of patterns count too
 * - `x-…` keywords and those that only describe are left out; an unknown keyword is refused by the compiler (it is
 *   mostly a misspelt one, and would check nothing)
 */
export const MAX_SCHEMA_CHARS = 64 * 1024
export const MAX_SCHEMA_DEPTH = 24
/** Schemas met when every reference is followed. */
export const MAX_SCHEMA_NODES = 5_000

export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused'
}

/** Formats that are checked; others (`int32`, `password`…) only describe. `regex` would compile what it checks. */
export const FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
] as const

type JsonObject = Readonly<Record<string, unknown>>

const DESCRIBING = new Set(['example', 'xml', 'externalDocs', 'discriminator', '$schema', 'nullable'])
const REFUSED = new Set([
  '$id',
  'id',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$vocabulary',
  '$data',
])
const ONE = new Set([
  'items',
  'additionalItems',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
])
const SEVERAL = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const BY_NAME = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** A copy that is safe to compile. Throws SchemaRefused. */
export function inspectSchema(schema: unknown): JsonObject {
  if (!isObject(schema)) throw new SchemaRefused('a schema must be an object')
  let text: string
  try {
    text = JSON.stringify(schema)
  } catch {
    throw new SchemaRefused('a schema must be JSON')
  }
  if (text.length > MAX_SCHEMA_CHARS) throw new SchemaRefused(`longer than ${MAX_SCHEMA_CHARS} characters`)
  const copy = copySchema(JSON.parse(text), 0)
  if (!isObject(copy)) throw new SchemaRefused('a schema must be an object')
  new References(copy).follow(copy)
  return copy
}

function copySchema(schema: unknown, depth: number): unknown {
  if (typeof schema === 'boolean') return schema
  if (!isObject(schema)) throw new SchemaRefused('a schema must be an object or a boolean')
  if (depth > MAX_SCHEMA_DEPTH) throw new SchemaRefused(`nested deeper than ${MAX_SCHEMA_DEPTH}`)
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (REFUSED.has(key)) throw new SchemaRefused(`"${key}" is not supported`)
    if (key.startsWith('x-') || DESCRIBING.has(key)) continue
    if (key === 'format' && !(FORMATS as readonly unknown[]).includes(value)) continue
    if (key === 'pattern') checkPattern(value)
    if (key === 'patternProperties' && isObject(value)) Object.keys(value).forEach(checkPattern)
    copy[key] = copyKeyword(key, value, depth)
  }
  const type = copy['type']
  if (schema['nullable'] === true && typeof type === 'string') copy['type'] = [type, 'null']
  return copy
}

function copyKeyword(key: string, value: unknown, depth: number): unknown {
  // An array here is the older form of `prefixItems`; the compiler says so.
  if (ONE.has(key) && !Array.isArray(value)) return copySchema(value, depth + 1)
  if (SEVERAL.has(key) && Array.isArray(value)) return value.map((entry) => copySchema(entry, depth + 1))
  if (!BY_NAME.has(key) || !isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, copySchema(entry, depth + 1)]))
}

function checkPattern(pattern: unknown): void {
  if (typeof pattern !== 'string') throw new SchemaRefused('a pattern must be a text')
  try {
    new LinearPattern(pattern)
  } catch (error) {
    throw new SchemaRefused(`the pattern "${pattern.slice(0, 80)}" is refused: ${(error as Error).message}`)
  }
}

/** Counts what a validation would visit with every reference followed, and finds circles. */
class References {
  readonly #root: JsonObject
  readonly #path = new Set<unknown>()
  readonly #counted = new Map<unknown, number>()

  constructor(root: JsonObject) {
    this.#root = root
  }

  follow(schema: unknown): number {
    if (!isObject(schema)) return 1
    const known = this.#counted.get(schema)
    if (known !== undefined) return known
    if (this.#path.has(schema)) throw new SchemaRefused('references in a circle')
    this.#path.add(schema)
    let count = 1
    for (const child of this.#children(schema)) {
      count += this.follow(child)
      if (count > MAX_SCHEMA_NODES) throw new SchemaRefused(`more than ${MAX_SCHEMA_NODES} parts`)
    }
    this.#path.delete(schema)
    this.#counted.set(schema, count)
    return count
  }

  *#children(schema: JsonObject): Generator<unknown> {
    for (const [key, value] of Object.entries(schema)) {
      if (key === '$ref') yield this.#resolve(value)
      else if (ONE.has(key)) yield value
      else if (SEVERAL.has(key) && Array.isArray(value)) yield* value
      else if (BY_NAME.has(key) && key !== '$defs' && key !== 'definitions' && isObject(value))
        yield* Object.values(value)
    }
  }

  #resolve(reference: unknown): unknown {
    if (typeof reference !== 'string' || !reference.startsWith('#'))
      throw new SchemaRefused('a reference must point into the schema itself')
    let at: unknown = this.#root
    for (const part of reference.slice(1).split('/').slice(1)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
      at = isObject(at) && Object.hasOwn(at, name) ? at[name] : Array.isArray(at) ? at[Number(name)] : undefined
    }
    if (at === undefined) throw new SchemaRefused(`nothing is at "${reference.slice(0, 80)}"`)
    return at
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
