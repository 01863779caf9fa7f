import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

/** The part of Standard Schema (standardschema.dev, version 1) that contracts need; zod, valibot and arktype fit it. */
export interface Schema<Value> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Value> | Promise<SchemaResult<Value>>
    readonly types?: { readonly input: unknown; readonly output: Value } | undefined
  }
}

export type SchemaResult<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

export type ValueOf<S> = S extends Schema<infer Value> ? Value : never

/** The parsed value, or a coded error that names each wrong field. Asynchronous schemas are refused: a border does not wait. */
export function parse<Value>(schema: Schema<Value>, value: unknown, code: ErrorCode = 'BAD_INPUT'): Value {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new WaggleError('INTERNAL', { reason: 'A contract has an asynchronous schema.' })
  if (result.issues === undefined) return result.value
  const fields = result.issues.slice(0, 10).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return { path, problem: issue.message }
  })
  throw new WaggleError(
    code,
    { fields, reason: fields.map((field) => `${field.path || 'value'}: ${field.problem}`).join('; ') },
    { expected: true },
  )
}
