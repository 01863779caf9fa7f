import type { PoolHandlers } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { Knowledge } from '#shared/contracts/knowledge.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { listUnanswered, questionId, settleUnanswered } from '#shared/db/repositories/knowledge/asked.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import {
  countHit,
  curatedNear,
  listCurated,
  removeCurated,
  saveCurated,
} from '#shared/db/repositories/knowledge/curated.ts'
import type { CuratedRow } from '#shared/db/repositories/knowledge/curated.ts'
import { markOf, nextOf } from '#shared/db/repositories/page-mark.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { queryTerms } from '#shared/ranking/terms.ts'
import type { KnowledgeParts } from '../parts.ts'
import type { Searched } from '../search/find.ts'

type Handlers = Pick<
  PoolHandlers<(typeof Knowledge)['messages']>,
  'unanswered' | 'dismiss' | 'curated' | 'curate' | 'uncurate'
>

/** What nobody could answer, and what people answered instead. */
export function curatedHandlers({ database }: KnowledgeParts): Handlers {
  return {
    unanswered: async (ctx, { collection, limit, after }) => {
      requireStaff(ctx, 'Curated answers are')
      return await database.tenant(ctx.tenant, async (sql) => {
        const rows = await listUnanswered(sql, collection, limit, markOf(after).after)
        return {
          questions: rows.map((row) => ({ ...row, nearest: [...row.nearest] })),
          next: nextOf(rows, limit, ({ lastAt: at, id }) => ({ at, id })),
        }
      })
    },

    dismiss: async (ctx, { collection, id }) => {
      requireStaff(ctx, 'Curated answers are')
      const settled = await database.tenant(ctx.tenant, (sql) => settleUnanswered(sql, collection, id, 'dismissed'))
      if (!settled) throw refuse('NOT_FOUND', { question: id })
      return {}
    },

    curated: async (ctx, { collection }) => {
      requireStaff(ctx, 'Curated answers are')
      const answers = await database.tenant(ctx.tenant, (sql) => listCurated(sql, collection))
      return { answers: answers.map(({ terms: _terms, collection: _in, ...answer }) => answer) }
    },

    curate: async (ctx, { collection, question, answer }) => {
      const createdBy = requireStaff(ctx, 'Curated answers are')
      return await database.tenant(ctx.tenant, async (sql) => {
        if ((await collectionById(sql, collection)) === null) throw refuse('NOT_FOUND', { collection })
        return { id: await keepCurated(sql, { collection, question, answer, createdBy }, Date.now()) }
      })
    },

    uncurate: async (ctx, { collection, id }) => {
      requireStaff(ctx, 'Curated answers are')
      const removed = await database.tenant(ctx.tenant, (sql) => removeCurated(sql, collection, id))
      if (!removed) throw refuse('NOT_FOUND', { answer: id })
      return {}
    },
  }
}

/** One answer for a question, however it is spaced or cased: the last one counts. Returns its id. */
export async function keepCurated(
  sql: TenantSql,
  { collection, question, answer, createdBy }: Pick<CuratedRow, 'collection' | 'question' | 'answer' | 'createdBy'>,
  now: number,
): Promise<string> {
  const id = questionId(question)
  await saveCurated(sql, { collection, id, question, answer, terms: termsOf(question), createdBy }, now)
  await settleUnanswered(sql, collection, id, 'answered')
  return id
}

/** The curated answer of a question that is near enough to this one, and counts that it was said. */
export async function nearestCurated(
  { database }: KnowledgeParts,
  tenant: string,
  question: string,
  collections: readonly Searched[],
): Promise<CuratedRow | null> {
  const terms = termsOf(question)
  if (terms.length === 0) return null
  return await database.tenant(tenant, async (sql) => {
    const near = await curatedNear(
      sql,
      collections.map(({ id }) => id),
      terms,
    )
    const best = near.map((row) => ({ row, like: likeness(terms, row.terms) })).toSorted((a, b) => b.like - a.like)[0]
    if (best === undefined) return null
    const floor = collections.find(({ id }) => id === best.row.collection)?.settings.curatedFloor ?? 1
    if (best.like < floor) return null
    await countHit(sql, best.row.collection, best.row.id)
    return best.row
  })
}

/** Stems alone: an inflected question is the same one. */
function termsOf(question: string): string[] {
  return queryTerms(question).flatMap(({ term }) => (term.startsWith('w:') ? [] : [term]))
}

/** Dice's coefficient of the two sets, 0 to 1. */
export function likeness(one: readonly string[], other: readonly string[]): number {
  if (one.length + other.length === 0) return 0
  const set = new Set(other)
  return (2 * one.filter((term) => set.has(term)).length) / (one.length + other.length)
}
