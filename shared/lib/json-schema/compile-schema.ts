import { createHash } from 'node:crypto'
import type { ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormatsModule from 'ajv-formats'
import { LinearPattern } from '../linear-pattern/linear-pattern.ts'
import { FORMATS, inspectSchema, SchemaRefused } from './inspect-schema.ts'

export { SchemaRefused } from './inspect-schema.ts'

export interface SchemaProblem {
  /** Where in the value, as `items/0/name`; empty for the whole. */
  readonly path: string
  readonly message: string
}

export interface SchemaCheck {
  /** Empty when the value fits. At most MAX_PROBLEMS; never quotes the value. */
  problems(value: unknown): readonly SchemaProblem[]
}

export const MAX_PROBLEMS = 10
const COMPILED_KEPT = 500

const byObject = new WeakMap<object, SchemaCheck>()
const byHash = new Map<string, SchemaCheck>()

/** Compiled once per content, kept for the last few hundred. Throws SchemaRefused; see inspect-schema.ts for what is. */
export function compileSchema(schema: object): SchemaCheck {
  const known = byObject.get(schema)
  if (known !== undefined) return known
  const inspected = inspectSchema(schema)
  const hash = createHash('sha256').update(JSON.stringify(inspected)).digest('base64')
  const check = byHash.get(hash) ?? compile(inspected)
  byHash.delete(hash)
  byHash.set(hash, check)
  for (const oldest of byHash.keys()) {
    if (byHash.size <= COMPILED_KEPT) break
    byHash.delete(oldest)
  }
  byObject.set(schema, check)
  return check
}

const addFormats = addFormatsModule as unknown as typeof addFormatsModule.default

function compile(schema: object): SchemaCheck {
  // One compiler each: it remembers every schema it was ever given.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowUnionTypes: true,
    validateSchema: true,
    logger: false,
    code: { regExp: linearRegExp },
  })
  addFormats(ajv, { mode: 'fast', formats: [...FORMATS] })
  let validate: ReturnType<typeof ajv.compile>
  try {
    validate = ajv.compile(schema)
  } catch (error) {
    throw new SchemaRefused((error as Error).message)
  }
  return {
    problems(value) {
      let fits: boolean
      try {
        fits = validate(value)
      } catch {
        // A pattern that took too long on this text: what could not be checked does not fit.
        return [{ path: '', message: 'could not be checked' }]
      }
      return fits ? [] : (validate.errors ?? []).slice(0, MAX_PROBLEMS).map(problemOf)
    },
  }
}

function problemOf(error: ErrorObject): SchemaProblem {
  const path = error.instancePath.slice(1)
  const message = error.message ?? 'does not fit'
  switch (error.keyword) {
    case 'enum':
      return { path, message: `must be one of ${JSON.stringify(error.params['allowedValues']).slice(0, 200)}` }
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return { path, message: `must not have "${String(Object.values(error.params)[0]).slice(0, 60)}"` }
    default:
      return { path, message }
  }
}

/**
 * Ajv's port for regular expressions. It tells compiled ones apart by `toString()`: without it all patterns would be the
 * first one. `code` is only read when its output is written to a file.
 */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const linear = new LinearPattern(pattern)
    return { test: (text: string) => linear.test(text), toString: () => `linear ${pattern}` }
  },
  { code: 'linearRegExp' },
)
