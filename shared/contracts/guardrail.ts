import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'

/** Guardrails stand in front (I10): asked before the side effect and before the release of text. Name: the stage. */
export const Stage = z.enum(['input', 'tool_call', 'tool_result', 'output'])
export type Stage = z.infer<typeof Stage>

export const CheckRequest = z.object({
  stage: Stage,
  agent: z.string(),
  /** The text in question; for a tool call the canonical JSON of its arguments. */
  text: z.string(),
  tool: z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) }).nullable(),
  /** What the person wrote in this turn: an address they named themselves is theirs to use (I14). */
  said: z.array(z.string()).readonly(),
  /** A part of an answer; checks that need the whole wait for it. */
  piece: z.boolean(),
  /** A person has approved this very call: text from outside does not speak for it. */
  approved: z.boolean().optional(),
})

export const Check = z.object({
  guardrail: z.string(),
  verdict: z.enum(['pass', 'rewrite', 'block']),
  reason: z.string(),
  ms: z.number(),
})

/** `rewrite`: go on with `text` instead. `block`: do not go on; `reason` is fit for the customer. */
export const Verdict = z.object({
  verdict: z.enum(['pass', 'rewrite', 'block']),
  text: z.string(),
  reason: z.string(),
  checks: z.array(Check),
  /** Of a block: a person may let it pass, with `text` as its arguments. */
  approvable: z.boolean().optional(),
})
export type Verdict = z.infer<typeof Verdict>

export const Guardrail = pool('guardrail', { check: ask(CheckRequest, Verdict, { within: '2s' }) })
