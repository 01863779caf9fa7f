import type { PoolContext, PoolHandlers } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import type { Directory } from '#shared/contracts/directory.ts'
import type { Database } from '#shared/db/database.ts'
import { listFeedback } from '#shared/db/repositories/feedback.ts'
import { listReviews, reviewById } from '#shared/db/repositories/reviews.ts'
import { markOf, nextOf } from '#shared/db/repositories/page-mark.ts'

type ReviewHandlers = Pick<PoolHandlers<(typeof Directory)['messages']>, 'reviews' | 'review' | 'feedback'>

/** The inbox of a tenant, for its staff. It is read here and written by the desks. */
export function reviewHandlers(database: Database): ReviewHandlers {
  return {
    reviews: (ctx, { limit, after, ...filter }) =>
      database.tenant(staff(ctx), async (sql) => {
        const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
        const reviews = await listReviews(sql, { ...given, limit, ...markOf(after) })
        return { reviews, next: nextOf(reviews, limit, (row) => ({ at: row.createdAt, id: row.id })) }
      }),

    review: (ctx, { id }) =>
      database.tenant(staff(ctx), async (sql) => {
        const stored = await reviewById(sql, id)
        if (stored === null) throw refuse('NOT_FOUND', { item: id })
        return { item: stored.item }
      }),

    feedback: (ctx, { limit, after, agent, label }) =>
      database.tenant(staff(ctx), async (sql) => {
        const feedback = await listFeedback(sql, {
          agent: agent ?? null,
          label: label ?? null,
          limit,
          ...markOf(after),
        })
        return { feedback, next: nextOf(feedback, limit, (row) => ({ at: row.at, id: row.id })) }
      }),
  }
}

function staff(ctx: PoolContext): string {
  requireStaff(ctx, 'Review items are')
  return ctx.tenant
}
