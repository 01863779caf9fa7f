import { readRows, standsAt } from './guardrail-row.ts'
import { isSpanRule, spanRules } from './span-rules.ts'
import type { InlineRule } from './stream-guard.ts'

/**
 * What of a tenant's guardrails can look at an answer while it is being streamed. The others (length, JSON Schema…) look
 * at the finished answer and may then only retract it, visibly (I10).
 */
export interface InlineGuards {
  readonly rules: readonly InlineRule[]
  /** A guardrail that stands here and cannot be read: nothing may be streamed. */
  readonly broken: string | null
  /** Some guardrail has to look at the finished answer. */
  readonly more: boolean
}

/** Rows come from a source that hands out the same ones for a while: they are compiled once. */
const compiled = new WeakMap<readonly unknown[], Map<string, InlineGuards>>()

export function inlineGuards(rows: readonly unknown[], agent: string): InlineGuards {
  const known = compiled.get(rows) ?? new Map<string, InlineGuards>()
  compiled.set(rows, known)
  const guards = known.get(agent) ?? compile(rows, agent)
  known.set(agent, guards)
  return guards
}

function compile(rows: readonly unknown[], agent: string): InlineGuards {
  const rules: { position: number; rule: InlineRule }[] = []
  let broken: string | null = null
  let more = false
  for (const read of readRows(rows)) {
    if (!standsAt(read, 'output', agent)) continue
    if (!read.ok) {
      broken ??= read.id
      continue
    }
    const { id, rule, config, action, message, position } = read.row
    if (!isSpanRule(rule)) {
      more = true
      continue
    }
    try {
      rules.push({ position, rule: { guardrail: id, action, message, rules: spanRules(rule, config) } })
    } catch {
      broken ??= id
    }
  }
  return { rules: rules.toSorted((a, b) => a.position - b.position).map(({ rule }) => rule), broken, more }
}
