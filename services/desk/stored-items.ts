import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { Agent } from '#shared/contracts/agent.ts'
import type { DecisionMade, ReviewItem, ReviewState } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { openReviews, reviewById, updateReview } from '#shared/db/repositories/reviews.ts'
import type { StoredReview } from '#shared/db/repositories/reviews.ts'

type Ctx = Context<unknown>

/** An item of this conversation; NOT_FOUND for those of others too. */
export async function itemHere(ctx: Ctx, sql: TenantSql, itemId: string): Promise<StoredReview> {
  const stored = await reviewById(sql, itemId)
  if (stored === null || stored.item.conversationId !== ctx.key[0]) throw refuse('NOT_FOUND', { item: itemId })
  return stored
}

/** Stores what has changed of an item, and says it. */
export async function change(
  ctx: Ctx,
  sql: TenantSql,
  stored: StoredReview,
  changed: Partial<ReviewItem>,
  escalateTo = stored.escalateTo,
): Promise<ReviewItem> {
  const item = { ...stored.item, ...changed, revision: stored.item.revision + 1 }
  await updateReview(sql, { ...stored, item, escalateTo })
  say(ctx, 'review:changed', item)
  return item
}

/** Ends an item by a decision, which its origin is told. */
export async function settle(
  ctx: Ctx,
  sql: TenantSql,
  stored: StoredReview,
  end: { readonly state: ReviewState; readonly decision: DecisionMade },
  changed: Partial<ReviewItem> = {},
): Promise<ReviewItem> {
  const item = await change(ctx, sql, stored, { ...changed, ...end, claimedBy: null, claimedUntil: null })
  const { id: itemId, turnId, runId, kind } = item
  const told = { itemId, turnId, runId, kind, ...end.decision }
  const { origin } = stored
  switch (origin.kind) {
    case 'agent':
      ctx.tell(Agent, origin.key, 'decided', told, { fresh: true })
      break
    case 'supervisor':
      ctx.tell(Supervisor, origin.key, 'decided', told, { fresh: true })
      break
  }
  await rearm(ctx, sql)
  return item
}

/** The one reminder of a desk is for whichever open item expires first. */
export async function rearm(ctx: Ctx, sql: TenantSql): Promise<void> {
  const times = (await openReviews(sql, ctx.key[0]!)).flatMap(({ item }) => expiryOf(item) ?? [])
  if (times.length === 0) ctx.forget('overdue')
  else ctx.remind('overdue', Math.min(...times))
}

/** When something has to happen to an item without anybody's doing; null: it waits. */
export function expiryOf({ expiresAt, onExpiry }: Pick<ReviewItem, 'expiresAt' | 'onExpiry'>): number | null {
  return onExpiry === 'wait' ? null : expiresAt
}
