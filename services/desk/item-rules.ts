import { refuse } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Decision, ReviewItem, ReviewKind } from '#shared/contracts/review.ts'

type Action = Decision['action']

const ACTIONS: Readonly<Record<ReviewKind, readonly Action[]>> = {
  tool_call: ['approve', 'edit', 'reject', 'answer'],
  draft_reply: ['approve', 'edit', 'reject'],
  question: ['answer', 'reject'],
  handoff: ['approve', 'reject'],
  budget: ['approve', 'edit', 'reject'],
}

export function allowedActions(kind: ReviewKind): readonly Action[] {
  return ACTIONS[kind]
}

/** Refuses what is over, with by whom and when it was decided. */
export function requireOpen(item: ReviewItem): void {
  if (item.state === 'open') return
  const { decision, state } = item
  throw refuse('REVIEW_DECIDED', {
    item: item.id,
    state,
    by: decision?.by ?? null,
    at: decision?.at ?? null,
    decision: decision?.decision.action ?? null,
  })
}

/** Refuses when somebody else has claimed it and the claim has not lapsed. */
export function requireFree(item: ReviewItem, by: string, now: number): void {
  const { claimedBy, claimedUntil } = item
  if (claimedBy === null || claimedBy === by || (claimedUntil ?? 0) <= now) return
  throw refuse('REVIEW_CLAIMED', { item: item.id, by: claimedBy, until: claimedUntil })
}

/** Refuses a field of the decision. */
export function badDecision(path: string, problem: string): WaggleError {
  return refuse('BAD_INPUT', { fields: [{ path: `decision/${path}`, problem }] })
}
