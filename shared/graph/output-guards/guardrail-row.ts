import { z } from 'zod'
import { Stage } from '#shared/contracts/guardrail.ts'

/**
 * A guardrail as a tenant configures it: one rule, where it stands and what follows when it finds something.
 *
 * - `block`  nothing goes on; the reason is told
 * - `mask`   what was found is replaced, the rest goes on
 * - `flag`   all goes on, with a reason for those who watch
 */
export const GuardrailAction = z.enum(['block', 'mask', 'flag'])
export type GuardrailAction = z.infer<typeof GuardrailAction>

export const GuardrailRow = z.object({
  name: z.string().min(1).max(60),
  rule: z.string().min(1).max(60),
  stages: z.array(Stage).min(1),
  action: GuardrailAction,
  /** Lower ones look first. */
  position: z.number().int(),
  /** Names of agents it is for; empty: all. */
  agents: z.array(z.string().max(60)).max(200),
  config: z.record(z.string(), z.unknown()),
  enabled: z.boolean(),
})
export type GuardrailRow = z.infer<typeof GuardrailRow>

/** Where guardrails come from. A row may be anything that a person wrote: whoever reads it parses it. */
export interface GuardrailSource {
  load(tenant: string): Promise<readonly unknown[]>
}

/** What can be said of a row that could not be read: enough to know where it stands, and that it must refuse. */
export interface BrokenRow {
  readonly name: string
  readonly stages: readonly Stage[]
  readonly agents: readonly string[]
  readonly position: number
  readonly problem: string
}

export type ReadRow =
  | { readonly ok: true; readonly row: GuardrailRow }
  | { readonly ok: false; readonly broken: BrokenRow }

/** Fail closed: what cannot be read stands where it says, or everywhere when that cannot be read either. */
export function readRow(value: unknown): ReadRow {
  const parsed = GuardrailRow.safeParse(value)
  if (parsed.success) return { ok: true, row: parsed.data }
  const row = z.record(z.string(), z.unknown()).catch({}).parse(value)
  const issue = parsed.error.issues[0]
  return {
    ok: false,
    broken: {
      name: z.string().min(1).catch('unreadable').parse(row['name']).slice(0, 60),
      stages: GuardrailRow.shape.stages.catch([...Stage.options]).parse(row['stages']),
      agents: GuardrailRow.shape.agents.catch([]).parse(row['agents']),
      position: z.number().catch(0).parse(row['position']),
      problem: issue === undefined ? 'unreadable' : `${issue.path.join('.')}: ${issue.message}`,
    },
  }
}

/** False only where the row says so in a way that can be read. */
export function isEnabled(value: unknown): boolean {
  return !(typeof value === 'object' && value !== null && (value as { enabled?: unknown }).enabled === false)
}
