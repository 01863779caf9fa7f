import { createHash } from 'node:crypto'
import { Directory } from '#shared/contracts/directory.ts'
import {
  FeedbackList,
  FeedbackListRequest,
  ReviewAnswer,
  ReviewClaimRequest,
  ReviewDecideRequest,
  ReviewList,
  ReviewListRequest,
  ReviewShowRequest,
} from '#shared/contracts/review-requests.ts'
import { Desk, ReviewItem } from '#shared/contracts/review.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'

/** How long a decision is waited for; afterwards it may still be taken, and sending it again is harmless. */
const DECIDE_WITHIN = '8s'
const ID_CHARS = 40

/** The same decision of the same person about the same thing is the same command. */
async function decide(reach: Reach, { conversationId, ...request }: ReviewDecideRequest): Promise<ReviewItem> {
  const { tenant, user } = reach.principal
  const id = createHash('sha256')
    .update(JSON.stringify([tenant, user, request]))
    .digest('hex')
    .slice(0, ID_CHARS)
  const receipt = await reach
    .ref(Desk, conversationId)
    .confirm('decide', request, { id: `decide-${id}`, within: DECIDE_WITHIN })
  return ReviewItem.parse(receipt)
}

/** What waits for people. The desk decides who may; the inbox is read from the tenant's rows. */
export const REVIEW_OPERATIONS: readonly Operation[] = [
  operation({
    event: 'review:list',
    input: ReviewListRequest,
    output: ReviewList,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/reviews',
      id: 'listReviews',
      tag: 'reviews',
      summary: 'What waits for people, or was decided; the newest first.',
    },
    run: async ({ reach }, { after, ...filter }) =>
      await reach.pool(Directory, 'main').ask('reviews', { ...filter, after: after ?? null }),
  }),
  operation({
    event: 'review:show',
    input: ReviewShowRequest,
    output: ReviewAnswer,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/reviews/{itemId}',
      id: 'getReview',
      tag: 'reviews',
      summary: 'One item, with what a decision about it must name: its nonce and args hash.',
    },
    run: async ({ reach }, { itemId }) => await reach.pool(Directory, 'main').ask('review', { id: itemId }),
  }),
  operation({
    event: 'review:decide',
    input: ReviewDecideRequest,
    output: ReviewAnswer,
    role: 'operator',
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/reviews/{itemId}/decision',
      id: 'decideReview',
      tag: 'reviews',
      summary:
        'Approves, edits, rejects or answers it. The first decision counts; a later one is told by whom and when.',
    },
    run: async ({ reach }, request) => ({ item: await decide(reach, request) }),
  }),
  operation({
    event: 'review:claim',
    input: ReviewClaimRequest,
    output: ReviewAnswer,
    role: 'operator',
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/reviews/{itemId}/claim',
      id: 'claimReview',
      tag: 'reviews',
      summary: 'Keeps an item for you for a while, or gives it back.',
    },
    run: async ({ reach }, { conversationId, itemId, claim }) => {
      const desk = reach.ref(Desk, conversationId)
      const receipt = await desk.confirm(claim ? 'claim' : 'unclaim', { itemId }, { within: DECIDE_WITHIN })
      return { item: ReviewItem.parse(receipt) }
    },
  }),
  operation({
    event: 'feedback:list',
    input: FeedbackListRequest,
    output: FeedbackList,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/feedback',
      id: 'listFeedback',
      tag: 'reviews',
      summary: 'Edits, rejections and answers of people, as labelled examples; the newest first.',
    },
    run: async ({ reach }, { after, ...filter }) =>
      await reach.pool(Directory, 'main').ask('feedback', { ...filter, after: after ?? null }),
  }),
]
