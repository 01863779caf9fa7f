import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { MAX_QUESTION_CHARS } from './knowledge.ts'
import { Decision, OnExpiry, ReviewItem, ReviewKind } from './events/review-events.ts'

export { Decision, DecisionMade, OnExpiry, ReviewItem, ReviewKind, ReviewState } from './events/review-events.ts'

/** How a person is asked. Times are relative: they count from when the item is parked. */
export const ReviewTerms = z.object({
  reason: z.string().max(2_000),
  /** Who should look at it; empty: any operator. */
  team: z.string().max(120).default(''),
  quorum: z.number().int().min(1).max(20).default(1),
  /** Later than this it is overdue; null: there is no such time. */
  dueMs: z.number().int().positive().nullable().default(null),
  expiresMs: z.number().int().positive().nullable().default(null),
  onExpiry: OnExpiry.default('wait'),
  /** Teams that are asked next, one after each expiry (`escalate`); after the last one it waits. */
  escalateTo: z.array(z.string().min(1).max(120)).max(10).default([]),
})
export type ReviewTerms = z.infer<typeof ReviewTerms>

/** An item as whoever needs the decision hands it in. */
export const NewReviewItem = ReviewItem.pick({
  id: true,
  turnId: true,
  runId: true,
  agent: true,
  kind: true,
  tool: true,
  title: true,
  proposal: true,
  schema: true,
  evidence: true,
}).extend({ terms: ReviewTerms })
export type NewReviewItem = z.infer<typeof NewReviewItem>

/** What the customer asked, as evidence of an item; as long as a question may be that an answer is kept for. */
export function askedEvidence(text: string): ReviewItem['evidence'][number] {
  return { kind: ASKED, text: text.slice(0, MAX_QUESTION_CHARS).toWellFormed() }
}

export function askedOf({ evidence }: Pick<ReviewItem, 'evidence'>): string | null {
  return evidence.find(({ kind }) => kind === ASKED)?.text ?? null
}

const ASKED = 'question'

/** The actor that is told `decided`. */
export const ReviewOrigin = z.object({ kind: z.enum(['agent', 'supervisor']), key: z.array(z.string()).min(1) })
export type ReviewOrigin = z.infer<typeof ReviewOrigin>

export const DecideRequest = z.object({
  itemId: z.string(),
  nonce: z.string(),
  argsHash: z.string(),
  decision: Decision,
})
export type DecideRequest = z.infer<typeof DecideRequest>

/** What the origin of an item is told, once. */
export const Decided = z.object({
  itemId: z.string(),
  turnId: z.string(),
  runId: z.string(),
  kind: ReviewKind,
  /** An edit of several persons is told as the edit, with the arguments that all of them approved. */
  decision: Decision,
  by: z.string(),
  at: z.number(),
})
export type Decided = z.infer<typeof Decided>

/** The review items of one conversation; key: the conversation id. The first decision counts. */
export const Desk = contract('desk', {
  /** From an actor of the conversation. The same id again is the same item. */
  park: tell(z.object({ item: NewReviewItem, origin: ReviewOrigin })),
  /** Receipt: the item as it stands after it. Operators only. */
  decide: tell(DecideRequest, {
    fails: [
      'NOT_FOUND',
      'FORBIDDEN',
      'REVIEW_DECIDED',
      'REVIEW_CHANGED',
      'REVIEW_CLAIMED',
      'REVIEW_NO_COLLECTION',
      'BAD_INPUT',
    ],
  }),
  /** Receipt: the item. It is kept from others for a while. */
  claim: tell(z.object({ itemId: z.string() }), {
    fails: ['NOT_FOUND', 'FORBIDDEN', 'REVIEW_DECIDED', 'REVIEW_CLAIMED'],
  }),
  unclaim: tell(z.object({ itemId: z.string() }), {
    fails: ['NOT_FOUND', 'FORBIDDEN', 'REVIEW_DECIDED', 'REVIEW_CLAIMED'],
  }),
  /** The turn is over without them: its open items are. */
  supersede: tell(z.object({ turnId: z.string() })),
  /** The open ones, oldest first. Operators only. */
  items: ask(z.object({}), z.object({ items: z.array(ReviewItem) }), { fails: ['FORBIDDEN'] }),
})
