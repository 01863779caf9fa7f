import type { Context } from '#shared/actor/definition.ts'
import type { NewReviewItem, ReviewItem, ReviewOrigin } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import { insertReview, openReviews } from '#shared/db/repositories/reviews.ts'
import { hashOfArgs } from '#shared/lib/canonical-json.ts'
import { rearm } from './stored-items.ts'

/** Takes an item in. The hash is made here, of what is stored: nobody else's could be told apart from it. */
export async function park(
  ctx: Context<unknown>,
  { item: { terms, ...given }, origin }: { readonly item: NewReviewItem; readonly origin: ReviewOrigin },
): Promise<void> {
  const sql = await ctx.sql()
  const { reason, team, quorum, onExpiry } = terms
  const item: ReviewItem = {
    ...given,
    reason,
    team,
    quorum,
    onExpiry,
    conversationId: ctx.key[0]!,
    claimedBy: null,
    claimedUntil: null,
    approvals: [],
    argsHash: hashOfArgs(given.proposal),
    nonce: ctx.newId(),
    createdAt: ctx.now,
    dueAt: terms.dueMs === null ? null : ctx.now + terms.dueMs,
    expiresAt: terms.expiresMs === null ? null : ctx.now + terms.expiresMs,
    state: 'open',
    decision: null,
    revision: 1,
  }
  const stored = { item, origin, escalateTo: terms.escalateTo, expiresAfterMs: terms.expiresMs }
  // One is enough for a conversation: it is the conversation that is handed over, and not a message.
  const waiting = item.kind === 'handoff' ? await openReviews(sql, item.conversationId) : []
  if (waiting.some((other) => other.item.kind === 'handoff')) return
  if (!(await insertReview(sql, stored))) return
  say(ctx, 'review:changed', item)
  await rearm(ctx, sql)
}
