import type { ReviewItem } from '#shared/contracts/event-map.ts'
import type { ReviewList, ReviewListRequest } from '#shared/contracts/review-requests.ts'
import type { Decision } from '#shared/contracts/review.ts'
import type { Link } from './link.ts'

/** What an operator does with items that wait for people. Each fails with a RequestFailed: REVIEW_DECIDED says by whom. */
export interface Reviews {
  readonly list: (filter?: Partial<ReviewListRequest>) => Promise<ReviewList>
  /** About the item as it is given: one that has changed meanwhile is refused (REVIEW_CHANGED). */
  readonly decide: (item: ReviewItem, decision: Decision) => Promise<ReviewItem>
  readonly claim: (item: ReviewItem, claim?: boolean) => Promise<ReviewItem>
}

export function reviewsOf(link: Link): Reviews {
  return {
    list: async (filter = {}) => {
      const { reviews, next } = await link.request('review:list', { limit: PAGE, ...filter })
      return { reviews, next }
    },
    decide: async ({ id: itemId, conversationId, nonce, argsHash }, decision) =>
      (await link.request('review:decide', { conversationId, itemId, nonce, argsHash, decision })).item,
    claim: async ({ id: itemId, conversationId }, claim = true) =>
      (await link.request('review:claim', { conversationId, itemId, claim })).item,
  }
}

const PAGE = 50
