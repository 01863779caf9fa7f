import { z } from 'zod'
import { ReviewTerms } from '#shared/contracts/review.ts'
import { compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import type { ProfileTool } from './profile.ts'

/**
 * Which calls need a person, decided by code on (tool, agent, arguments, taint): whatever the model was persuaded of, it
 * cannot talk itself past this (I10). Rules of the tenant (`settings.approvals`) come first, in their order; then what the
 * tool's own row says. What cannot be read or checked needs a person, or is refused where nobody could tell what is asked.
 */
const Terms = ReviewTerms.partial()
const Rule = z.strictObject({
  /** A name; `*` at its end stands for any rest. */
  tool: z.string().min(1).max(120),
  agent: z.string().max(120).optional(),
  /** JSON Schema: the rule is about calls whose arguments fit. */
  args: z.record(z.string(), z.unknown()).optional(),
  /** Only turns that have read text from outside. */
  tainted: z.boolean().optional(),
  ...Terms.shape,
})
const Rules = z.array(Rule).max(200)
type Rule = z.infer<typeof Rule>

export interface CallInQuestion {
  readonly tool: Pick<ProfileTool, 'name' | 'needsApproval' | 'approval'>
  readonly agent: string
  readonly args: Readonly<Record<string, unknown>>
  readonly taint: readonly string[]
}

/** `terms` null: no person is needed. */
export type Approval =
  | { readonly allowed: true; readonly terms: ReviewTerms | null }
  | { readonly allowed: false; readonly reason: string }

/** An item is overdue after this, unless its terms say otherwise. */
export const DUE_MS = 10 * 60_000
/** Nobody waits longer than this for what only text from outside has asked for. */
export const TAINT_EXPIRES_MS = 30 * 60_000

export function approvalOf(call: CallInQuestion, settings: unknown): Approval {
  const rules = Rules.safeParse(settings ?? [])
  if (!rules.success) return { allowed: false, reason: 'The approval rules of this tenant cannot be read.' }
  const rule = rules.data.find((candidate) => isAbout(candidate, call))
  if (rule !== undefined)
    return { allowed: true, terms: termsOf(rule, `A rule asks for approval of ${call.tool.name}.`) }
  if (!call.tool.needsApproval) return { allowed: true, terms: null }
  const own = Terms.safeParse(call.tool.approval)
  if (!own.success) return { allowed: false, reason: `The approval terms of ${call.tool.name} cannot be read.` }
  return { allowed: true, terms: termsOf(own.data, `${call.tool.name} is never called without approval.`) }
}

/** Terms for a call that the guard against text from outside (I14) has held back. */
export function termsOfTaint(call: CallInQuestion, settings: unknown, reason: string): ReviewTerms {
  const approval = approvalOf(call, settings)
  if (approval.allowed && approval.terms !== null) return { ...approval.terms, reason }
  return ReviewTerms.parse({ reason, dueMs: DUE_MS, expiresMs: TAINT_EXPIRES_MS, onExpiry: 'deny' })
}

function termsOf(given: z.infer<typeof Terms>, reason: string): ReviewTerms {
  const { team, quorum, dueMs = DUE_MS, expiresMs, onExpiry, escalateTo } = given
  const said = given.reason === undefined || given.reason === '' ? reason : given.reason
  return ReviewTerms.parse({ reason: said, team, quorum, dueMs, expiresMs, onExpiry, escalateTo })
}

function isAbout(rule: Rule, { tool, agent, args, taint }: CallInQuestion): boolean {
  if (!matches(rule.tool, tool.name)) return false
  if (rule.agent !== undefined && rule.agent !== agent) return false
  if (rule.tainted === true && taint.length === 0) return false
  if (rule.args === undefined) return true
  try {
    const problems = compileSchema(rule.args).problems(args)
    return problems.length === 0 || problems.some(({ message }) => message === 'could not be checked')
  } catch {
    // A schema that is refused could have meant any call.
    return true
  }
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}
