import { toolFailure } from './failure.ts'
import type { ToolRow } from './tool-row.ts'

export interface BuiltinAnswer {
  readonly result: unknown
  readonly text: string
}

/** Tools that are code of this role; a row of kind `builtin` gives one of them to a tenant's agents. */
const BUILTINS: Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => BuiltinAnswer>> = {
  escalate_to_human: escalate,
}

const MAX_REASON_CHARS = 500

export function callBuiltin(row: ToolRow, args: Readonly<Record<string, unknown>>): BuiltinAnswer {
  const builtin = Object.hasOwn(BUILTINS, row.id) ? BUILTINS[row.id] : undefined
  if (builtin === undefined) throw toolFailure('TOOL_FAILED', 'no', `There is no builtin tool ${row.id}.`)
  return builtin(args)
}

/** Asks for a person: a marker that ends the run and offers the conversation to one. */
function escalate(args: Readonly<Record<string, unknown>>): BuiltinAnswer {
  const given =
    typeof args['reason'] === 'string' ? args['reason'].trim().slice(0, MAX_REASON_CHARS).toWellFormed() : ''
  const reason = given === '' ? 'The customer asked for a person.' : given
  return { result: { escalate: true, reason }, text: 'A colleague was asked to take over.' }
}
