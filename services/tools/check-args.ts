import { compileSchema, SchemaRefused } from '#shared/lib/json-schema/compile-schema.ts'
import { toolFailure } from './failure.ts'
import type { ToolRow } from './tool-row.ts'

export const MAX_ARGS_BYTES = 64 * 1024

/**
 * Arguments come from a model. What the schema does not name is refused unless it says otherwise: a field that the tenant
 * never meant could be understood by the service behind it.
 */
export function checkArgs(row: ToolRow, args: Readonly<Record<string, unknown>>): void {
  if (Buffer.byteLength(JSON.stringify(args)) > MAX_ARGS_BYTES)
    throw toolFailure('TOOL_ARGS', 'no', `The arguments are larger than ${MAX_ARGS_BYTES} bytes.`)
  const problems = checkOf(row).problems(args)
  if (problems.length === 0) return
  const told = problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
  throw toolFailure('TOOL_ARGS', 'no', `${told.join('; ')}.`, { problems })
}

const closed = new WeakMap<object, object>()

function checkOf({ id, parameters }: ToolRow): ReturnType<typeof compileSchema> {
  let schema = closed.get(parameters)
  if (schema === undefined) {
    const open =
      'additionalProperties' in parameters ||
      !('properties' in parameters) ||
      '$ref' in parameters ||
      'allOf' in parameters
    schema = open ? parameters : { ...parameters, additionalProperties: false }
    closed.set(parameters, schema)
  }
  try {
    return compileSchema(schema)
  } catch (error) {
    if (error instanceof SchemaRefused)
      throw toolFailure('TOOL_FAILED', 'no', `The definition of ${id} cannot be used: ${error.message}.`)
    throw error
  }
}
