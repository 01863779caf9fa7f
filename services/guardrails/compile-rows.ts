import { readRows } from '#shared/graph/output-guards/guardrail-row.ts'
import type { ReadRow } from '#shared/graph/output-guards/guardrail-row.ts'
import type { Look } from './rule.ts'
import { RULES } from './rules.ts'
import { compilePolicy } from './rules/tool-policy.ts'
import type { ToolPolicy } from './rules/tool-policy.ts'

/** A row that is ready to look, or one that can only refuse. */
export interface Guard {
  readonly read: ReadRow
  readonly id: string
  readonly message: string
  readonly action: 'block' | 'rewrite' | 'flag'
  /** Null: the row is broken, and refuses. */
  readonly look: Look | null
  readonly problem: string
  readonly policy: ToolPolicy | null
}

/** The source hands out the same rows for a while. */
const compiled = new WeakMap<readonly unknown[], readonly Guard[]>()

/** In the order in which they look; broken ones first, since nothing passes them. */
export function compileRows(rows: readonly unknown[]): readonly Guard[] {
  const known = compiled.get(rows)
  if (known !== undefined) return known
  const guards = readRows(rows)
    .map(compileRow)
    .toSorted((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : 1))
  compiled.set(rows, guards)
  return guards
}

function place({ read, look }: Guard): number {
  return look === null || !read.ok ? -Infinity : read.row.position
}

function compileRow(read: ReadRow): Guard {
  if (!read.ok) return broken(read, read.id, read.problem)
  const { id, rule: name, stage, action, config, message } = read.row
  const rule = RULES.get(name)
  if (rule === undefined) return broken(read, id, `there is no rule "${name}"`)
  if (!rule.stages.includes(stage)) return broken(read, id, `the rule "${name}" cannot look at ${stage}`)
  if (!rule.actions.includes(action)) return broken(read, id, `the rule "${name}" cannot ${action}`)
  try {
    const look = rule.compile(config, action)
    const policy = name === 'tool_policy' && action === 'block' ? compilePolicy(config) : null
    return { read, id, message, action, look, problem: '', policy }
  } catch (error) {
    return broken(read, id, error instanceof Error ? error.message : String(error))
  }
}

function broken(read: ReadRow, id: string, problem: string): Guard {
  return { read, id, message: '', action: 'block', look: null, problem, policy: null }
}
