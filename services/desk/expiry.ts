import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Decision, ReviewItem } from '#shared/contracts/review.ts'
import { openReviews } from '#shared/db/repositories/reviews.ts'
import type { StoredReview } from '#shared/db/repositories/reviews.ts'
import { allowedActions } from './item-rules.ts'
import { change, expiryOf, rearm, settle } from './stored-items.ts'

/** In whose name an expiry decides. */
export const BY_EXPIRY = 'system'

/** Fires when the first of the open items has expired; each goes the way that its policy says. */
export async function overdue(ctx: Context<unknown>): Promise<void> {
  const sql = await ctx.sql()
  for (const stored of await openReviews(sql, ctx.key[0]!)) {
    const at = expiryOf(stored.item)
    if (at !== null && at <= ctx.now) await expire(ctx, sql, stored)
  }
  await rearm(ctx, sql)
}

async function expire(ctx: Context<unknown>, sql: TenantSql, stored: StoredReview): Promise<void> {
  switch (stored.item.onExpiry) {
    case 'wait':
      return
    case 'escalate':
      return await escalate(ctx, sql, stored)
    case 'deny':
    case 'allow': {
      const decision = decisionOf(stored.item)
      await settle(ctx, sql, stored, { state: 'expired', decision: { decision, by: BY_EXPIRY, at: ctx.now } })
    }
  }
}

/** What cannot be approved (a question) cannot be allowed by silence either. */
function decisionOf({ kind, onExpiry }: ReviewItem): Decision {
  if (onExpiry === 'allow' && allowedActions(kind).includes('approve')) return { action: 'approve' }
  return { action: 'reject', reason: 'Nobody decided in time.' }
}

/** The next team is asked; after the last one the item waits, overdue for everybody to see. */
async function escalate(ctx: Context<unknown>, sql: TenantSql, stored: StoredReview): Promise<void> {
  const [team, ...others] = stored.escalateTo
  const free = { claimedBy: null, claimedUntil: null }
  if (team === undefined) {
    await change(ctx, sql, stored, { ...free, expiresAt: null })
    return
  }
  const expiresAt = stored.expiresAfterMs === null ? null : ctx.now + stored.expiresAfterMs
  await change(ctx, sql, stored, { ...free, team, dueAt: expiresAt, expiresAt }, others)
}
