import { z } from 'zod'
import { Decision, ReviewItem, ReviewKind, ReviewState } from './review.ts'

/** What clients ask about review items, the same over Socket.IO and REST; operators only. */
const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of A-Z a-z 0-9 _ -')
const Page = { limit: z.coerce.number().int().min(1).max(200).default(50), after: z.string().max(160).optional() }
const next = z.string().nullable()

export const ReviewListRequest = z.object({
  ...Page,
  state: ReviewState.optional(),
  kind: ReviewKind.optional(),
  team: z.string().max(120).optional(),
  /** Items that this person has claimed. */
  claimedBy: z.string().max(120).optional(),
  conversationId: Id.optional(),
  /** Due before this time, milliseconds since 1970. */
  dueBefore: z.coerce.number().int().nonnegative().optional(),
})
export type ReviewListRequest = z.infer<typeof ReviewListRequest>
export const ReviewList = z.object({ reviews: z.array(ReviewItem), next })
export type ReviewList = z.infer<typeof ReviewList>

export const ReviewShowRequest = z.object({ itemId: Id })
/** A decision names what its maker was shown: nonce and hash of the item that was read. */
export const ReviewDecideRequest = z.object({
  conversationId: Id,
  itemId: Id,
  nonce: z.string().max(120),
  argsHash: z.string().max(120),
  decision: Decision,
})
export type ReviewDecideRequest = z.infer<typeof ReviewDecideRequest>
export const ReviewClaimRequest = z.object({
  conversationId: Id,
  itemId: Id,
  /** False gives it back. */
  claim: z.boolean().default(true),
})
export const ReviewAnswer = z.object({ item: ReviewItem })
export type ReviewAnswer = z.infer<typeof ReviewAnswer>

export const FeedbackLabel = z.enum(['edited', 'rejected', 'answered'])
export const FeedbackListRequest = z.object({
  ...Page,
  agent: z.string().max(60).optional(),
  label: FeedbackLabel.optional(),
})
export const FeedbackList = z.object({
  feedback: z.array(
    z.object({
      id: z.string(),
      itemId: z.string(),
      conversationId: z.string(),
      runId: z.string(),
      agent: z.string(),
      kind: z.string(),
      tool: z.string(),
      label: FeedbackLabel,
      proposed: z.record(z.string(), z.unknown()),
      decided: z.unknown(),
      reason: z.string(),
      decidedBy: z.string(),
      at: z.number(),
    }),
  ),
  next,
})
export type FeedbackList = z.infer<typeof FeedbackList>
