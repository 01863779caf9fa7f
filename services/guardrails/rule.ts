import type { Stage } from '#shared/contracts/guardrail.ts'
import type { GuardrailAction } from '#shared/graph/output-guards/guardrail-row.ts'
import type { Subject } from './subject.ts'

/** Who does it, and what the turn has read (I14). */
export interface RuleContext {
  readonly tenant: string
  readonly agent: string
  readonly user: string
  readonly roles: readonly string[]
  /** Where untrusted text of this turn came from; empty when there is none. */
  readonly taint: readonly string[]
  /** What the person wrote in this turn. */
  readonly said: readonly string[]
  /** It is a part of an answer: checks of the whole wait for the whole. */
  readonly piece: boolean
}

export interface Finding {
  /** Plain words that a customer may read; never what was found itself. */
  readonly reason: string
  /** With what was found replaced, for the action `rewrite`. */
  readonly rewritten: Subject | null
}

/** Null: nothing was found. Pure and fast; a throw is a refusal. */
export type Look = (subject: Subject, context: RuleContext) => Finding | null

/**
 * One kind of check. `compile` is called once per row, reads the row's config (and throws when it does not fit), and
 * returns what looks.
 */
export interface Rule {
  readonly name: string
  readonly stages: readonly Stage[]
  readonly actions: readonly GuardrailAction[]
  compile(config: unknown, action: GuardrailAction): Look
}

export const ANYWHERE: readonly Stage[] = ['input', 'tool_call', 'tool_result', 'output']
