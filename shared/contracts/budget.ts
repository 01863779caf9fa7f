import { z } from 'zod'
import { Usage } from './events/run-events.ts'

/** Tokens of one turn where its agent names no limit: no turn is without one (I11). */
export const DEFAULT_TURN_TOKENS = 200_000
/** Hand-offs of one turn from agent to agent. */
export const DEFAULT_HOPS = 6
/** Calls of one tool with the same arguments in one run; more are refused to the model. */
export const DEFAULT_REPEATS = 3
/** From this part of an allotment on the agent is told to come to an end. */
export const WARN_AT = 0.8
/** What a model call is taken to answer with before it is made, where the model names no limit of its own; tokens. */
export const RESERVED_OUTPUT_TOKENS = 1_024

const count = z.number().int().nonnegative()

/** What is done when an allotment is spent: the turn ends, or it waits for somebody who may raise it. */
export const OnSpent = z.enum(['end', 'ask'])

/** Limits as they stand in a row: `agents.limits`, or `settings.budget.conversation` and `.day` of a tenant. */
export const BudgetLimits = z
  .object({
    /** Model calls of one run. */
    steps: count.optional(),
    /** Hand-offs of one turn. */
    hops: count.optional(),
    /** Calls of one tool with the same arguments in one run. */
    repeats: count.optional(),
    tokens: count.optional(),
    /** Millionths of the currency of the price table. */
    costMicros: count.optional(),
    /** Milliseconds of one run, waiting included. */
    wallMs: count.optional(),
    onSpent: OnSpent.optional(),
    /** Agents that this one may hand a turn to. */
    handoffs: z.array(z.string()).optional(),
  })
  .catch({})
export type BudgetLimits = z.infer<typeof BudgetLimits>

/** What one run may spend in all, a resumed one with what it had spent before. Null: no limit of this kind. */
export const Allotment = z.object({
  tokens: count.nullable(),
  costMicros: count.nullable(),
  wallMs: count.nullable(),
  onSpent: OnSpent,
})
export type Allotment = z.infer<typeof Allotment>

export const SpentOf = z.enum(['tokens', 'costMicros', 'wallMs'])

/** An allotment that does not cover the next step. */
export const Spent = z.object({ what: SpentOf, used: z.number(), limit: z.number(), usage: Usage })
export type Spent = z.infer<typeof Spent>

export const NOTHING_SPENT: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }

export function tokensOf(usage: Usage): number {
  return usage.inputTokens + usage.outputTokens
}
