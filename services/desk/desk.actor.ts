import { actor } from '#shared/actor/definition.ts'
import { Desk } from '#shared/contracts/review.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { openReviews } from '#shared/db/repositories/reviews.ts'
import { claim, unclaim } from './claim.ts'
import { decide } from './decide.ts'
import { overdue } from './expiry.ts'
import { park } from './park.ts'
import { supersede } from './supersede.ts'

/**
 * The desk of one conversation (key: its id): what waits there for a person. It keeps nothing in memory: an item is a row,
 * written in the transaction that also says it and tells whoever waits for it, and its expiry is a durable timer. So the
 * first decision counts wherever it comes from, and a restart changes nothing.
 *
 * An item is *open* until it is approved, edited, rejected or answered by persons, expired by its policy, or superseded
 * by the end of its turn. None is opened again. Who waits (the origin) is told of every end but the last.
 */
export const desk = actor(Desk, {
  state: { version: 1, initial: () => ({}) },
  sleepAfter: '2m',
  on: {
    park,
    decide,
    claim,
    unclaim,
    supersede,
    async items(ctx) {
      requireStaff(ctx, 'Review items are')
      return { items: (await openReviews(await ctx.sql(), ctx.key[0]!)).map(({ item }) => item) }
    },
  },
  timers: { overdue },
})
