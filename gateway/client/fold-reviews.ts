import type { ReviewItem } from '#shared/contracts/event-map.ts'

/** Items that one view keeps (I11); the oldest leave first. */
export const MAX_REVIEWS = 200

/** An item as it stands now: upsert by (id, revision), the oldest first. The same list when nothing is new. */
export function foldReview(reviews: readonly ReviewItem[], item: ReviewItem): readonly ReviewItem[] {
  const index = reviews.findIndex((other) => other.id === item.id)
  const known = reviews[index]
  if (known === undefined) return [...reviews, item].slice(-MAX_REVIEWS)
  return known.revision >= item.revision ? reviews : reviews.with(index, item)
}

/** Those that wait for a person. */
export function openReviews(reviews: readonly ReviewItem[]): readonly ReviewItem[] {
  return reviews.filter((item) => item.state === 'open')
}
