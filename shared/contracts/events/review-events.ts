import { z } from 'zod'
import { id, ms, spec } from './event-spec.ts'

export const ReviewKind = z.enum(['tool_call', 'draft_reply', 'question', 'handoff', 'budget'])
export type ReviewKind = z.infer<typeof ReviewKind>
export const ReviewState = z.enum(['open', 'approved', 'edited', 'rejected', 'answered', 'expired', 'superseded'])
export type ReviewState = z.infer<typeof ReviewState>
/** What happens when nobody has decided in time; never chosen silently, it stands in the item. */
export const OnExpiry = z.enum(['wait', 'deny', 'allow', 'escalate'])
export type OnExpiry = z.infer<typeof OnExpiry>

const Values = z.record(z.string(), z.unknown())

/** Whether what a person wrote is kept, and said from now on to whoever asks the same. */
const curate = z.boolean().exactOptional()

/** What a person says to an item. `edit` replaces the whole proposal; nothing is merged. */
export const Decision = z.discriminatedUnion('action', [
  z.object({ action: z.literal('approve') }),
  z.object({ action: z.literal('edit'), args: Values, reason: z.string().max(2_000).default(''), curate }),
  z.object({ action: z.literal('reject'), reason: z.string().min(1).max(2_000) }),
  z.object({ action: z.literal('answer'), text: z.string().min(1).max(16_000), curate }),
])
export type Decision = z.infer<typeof Decision>

/** `by` is a user id, or `system` where an expiry decided. */
export const DecisionMade = z.object({ decision: Decision, by: z.string(), at: ms })
export type DecisionMade = z.infer<typeof DecisionMade>

/** Something that waits for a person, or had its decision. Upsert by (id, revision). */
export const ReviewItem = z.object({
  id,
  conversationId: id,
  turnId: id,
  runId: z.string().max(120),
  agent: z.string(),
  kind: ReviewKind,
  /** The tool of a call; empty on others. */
  tool: z.string(),
  title: z.string(),
  /** Why a person is asked. */
  reason: z.string(),
  /** What would be done: of a tool call its arguments, of a draft `{text}`. */
  proposal: Values,
  /** JSON Schema that an edited proposal must fit; null: it cannot be edited. */
  schema: Values.nullable(),
  /** What led to it, for whoever decides. Of kind `question`: what the customer asked. */
  evidence: z.array(z.object({ kind: z.string(), text: z.string() })),
  team: z.string(),
  claimedBy: z.string().nullable(),
  /** A claim lapses by itself. */
  claimedUntil: ms.nullable(),
  /** Distinct persons who have to approve; `args` of one who changed the proposal, which takes the approvals before it. */
  quorum: z.number().int().min(1),
  approvals: z.array(z.object({ by: z.string(), at: ms, args: Values.nullable() })),
  /** A decision names what it is about: both as they were shown. */
  argsHash: z.string(),
  nonce: z.string(),
  createdAt: ms,
  dueAt: ms.nullable(),
  expiresAt: ms.nullable(),
  onExpiry: OnExpiry,
  state: ReviewState,
  decision: DecisionMade.nullable(),
  revision: z.number().int().positive(),
})
export type ReviewItem = z.infer<typeof ReviewItem>

/** What waits for people. */
export const REVIEW_EVENTS = {
  'review:changed': spec('ops', 'An item for a person was parked, changed, or decided.', ReviewItem),
  'run:parked': spec(
    'ops',
    'A run has ended until people have decided on its items; nothing of it is kept in memory.',
    z.object({ turnId: id, runId: id, agent: z.string(), items: z.array(id) }),
  ),
} as const
