import { z } from 'zod'
import { Stage } from '#shared/contracts/guardrail.ts'

/**
 * A guardrail as a tenant configures it: one rule, where it stands and what follows when it finds something.
 *
 * - `block`    nothing goes on; the reason is told
 * - `rewrite`  what was found is replaced, the rest goes on
 * - `flag`     all goes on, with a reason for those who watch
 */
export const GuardrailAction = z.enum(['block', 'rewrite', 'flag'])
export type GuardrailAction = z.infer<typeof GuardrailAction>

export const GuardrailRow = z.object({
  id: z.string().min(1),
  /** Null: of every agent. */
  agentId: z.string().nullable(),
  stage: Stage,
  rule: z.string(),
  config: z.record(z.string(), z.unknown()),
  action: GuardrailAction,
  /** Said to the customer when it blocks; empty: the rule's own words. */
  message: z.string(),
  /** Lower ones look first. */
  position: z.number(),
})
export type GuardrailRow = z.infer<typeof GuardrailRow>

/** Enabled guardrails of a tenant. A row is what a person wrote: whoever reads it parses it. */
export interface GuardrailSource {
  load(tenant: string): Promise<readonly unknown[]>
}

export type ReadRow =
  | { readonly ok: true; readonly row: GuardrailRow }
  /** Null where not even that could be read: everywhere, and of every agent. */
  | {
      readonly ok: false
      readonly id: string
      readonly stage: Stage | null
      readonly agentId: string | null
      readonly problem: string
    }

/** Fail closed: what cannot be read still stands where it says that it stands, and refuses there. */
export function readRow(value: unknown): ReadRow {
  const parsed = GuardrailRow.safeParse(value)
  if (parsed.success) return { ok: true, row: parsed.data }
  const fields = z.record(z.string(), z.unknown()).catch({}).parse(value)
  const issue = parsed.error.issues[0]
  return {
    ok: false,
    id: GuardrailRow.shape.id.catch('unreadable').parse(fields['id']),
    stage: Stage.nullable().catch(null).parse(fields['stage']),
    agentId: z.string().nullable().catch(null).parse(fields['agentId']),
    problem: issue === undefined ? 'unreadable' : `${issue.path.join('.')}: ${issue.message}`,
  }
}

/** The source hands out the same rows for a while: they are read once. */
const read = new WeakMap<readonly unknown[], readonly ReadRow[]>()

export function readRows(rows: readonly unknown[]): readonly ReadRow[] {
  const known = read.get(rows) ?? rows.map(readRow)
  read.set(rows, known)
  return known
}

/** Whether it looks at this stage of this agent's work. */
export function standsAt(read: ReadRow, stage: Stage, agent: string): boolean {
  const { stage: own, agentId } = read.ok ? read.row : read
  return (own === null || own === stage) && (agentId === null || agentId === agent)
}
