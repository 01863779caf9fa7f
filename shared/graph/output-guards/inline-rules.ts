import { isEnabled, readRow } from './guardrail-row.ts'
import { isSpanRule, spanRules } from './span-rules.ts'
import type { InlineRule } from './stream-guard.ts'

/**
 * What of a tenant's guardrails can look at an answer while it is being streamed. The others (length, JSON Schema,
 * injection…) look at the finished answer and may then only retract it, visibly (I10).
 */
export interface InlineGuards {
  readonly rules: readonly InlineRule[]
  /** A guardrail that stands here and cannot be read: nothing may be streamed. */
  readonly broken: string | null
  /** Some guardrail has to look at the finished answer. */
  readonly more: boolean
}

export function inlineGuards(rows: readonly unknown[], agent: string): InlineGuards {
  const rules: { position: number; rule: InlineRule }[] = []
  let broken: string | null = null
  let more = false
  for (const value of rows) {
    if (!isEnabled(value)) continue
    const read = readRow(value)
    const { stages, agents, name } = read.ok ? read.row : read.broken
    if (!stages.includes('output') || (agents.length > 0 && !agents.includes(agent))) continue
    if (!read.ok) {
      broken ??= name
      continue
    }
    const { rule, config, action, position } = read.row
    if (!isSpanRule(rule)) {
      more = true
      continue
    }
    try {
      rules.push({ position, rule: { guardrail: name, action, rules: spanRules(rule, config) } })
    } catch {
      broken ??= name
    }
  }
  return { rules: rules.toSorted((a, b) => a.position - b.position).map(({ rule }) => rule), broken, more }
}
