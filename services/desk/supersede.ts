import type { Context } from '#shared/actor/definition.ts'
import { openReviews } from '#shared/db/repositories/reviews.ts'
import { change, rearm } from './stored-items.ts'

/** The turn is over: nobody waits for its items any more, and a late decision is told so. */
export async function supersede(ctx: Context<unknown>, { turnId }: { readonly turnId: string }): Promise<void> {
  const sql = await ctx.sql()
  for (const stored of await openReviews(sql, ctx.key[0]!)) {
    if (stored.item.turnId !== turnId) continue
    await change(ctx, sql, stored, { state: 'superseded', claimedBy: null, claimedUntil: null })
  }
  await rearm(ctx, sql)
}
