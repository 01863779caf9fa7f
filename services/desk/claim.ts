import type { Context } from '#shared/actor/definition.ts'
import type { ReviewItem } from '#shared/contracts/review.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { requireFree, requireOpen } from './item-rules.ts'
import { change, itemHere } from './stored-items.ts'

/** A claim keeps others away for this long, then it lapses. */
export const CLAIM_MS = 15 * 60_000

/** Keeps an item for whoever asks, and prolongs it for whoever has it. */
export async function claim(ctx: Context<unknown>, { itemId }: { readonly itemId: string }): Promise<ReviewItem> {
  const by = requireStaff(ctx, 'Review items are')
  const sql = await ctx.sql()
  const stored = await itemHere(ctx, sql, itemId)
  requireOpen(stored.item)
  requireFree(stored.item, by, ctx.now)
  return await change(ctx, sql, stored, { claimedBy: by, claimedUntil: ctx.now + CLAIM_MS })
}

/** Gives it back. An administrator can take anybody's claim away. */
export async function unclaim(ctx: Context<unknown>, { itemId }: { readonly itemId: string }): Promise<ReviewItem> {
  const by = requireStaff(ctx, 'Review items are')
  const sql = await ctx.sql()
  const stored = await itemHere(ctx, sql, itemId)
  requireOpen(stored.item)
  if (stored.item.claimedBy === null) return stored.item
  if (ctx.cause.principal?.roles.includes('admin') !== true) requireFree(stored.item, by, ctx.now)
  return await change(ctx, sql, stored, { claimedBy: null, claimedUntil: null })
}
