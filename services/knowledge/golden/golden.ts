import type { PoolContext, PoolHandlers } from '#shared/actor/definition.ts'
import type { GoldenQuestion, GoldenRun, Knowledge } from '#shared/contracts/knowledge.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { goldenQuestions, goldenRuns, keepGoldenRun, setGoldenQuestions } from '#shared/db/repositories/knowledge/golden.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { KnowledgeParts } from '../parts.ts'
import { find } from '../search/find.ts'
import type { CollectionsCache, Finding } from '../search/find.ts'
import { meanOf, scoreRanks } from './score.ts'

type Handlers = Pick<PoolHandlers<(typeof Knowledge)['messages']>, 'golden' | 'setGolden' | 'runGolden'>

/** Passages looked at for one golden question. */
const DEPTH = 10

/** Questions whose right passage is known: the collection's own measure of whether a change was one for the better. */
export function goldenHandlers(parts: KnowledgeParts, cache: CollectionsCache): Handlers {
  const { database } = parts
  const open = async (ctx: PoolContext, collection: string): Promise<void> => {
    requireStaff(ctx, 'Golden questions are')
    if ((await database.tenant(ctx.tenant, (sql) => collectionById(sql, collection))) === null) throw refuse('NOT_FOUND', { collection })
  }
  return {
    golden: async (ctx, { collection }) => {
      await open(ctx, collection)
      return await database.tenant(ctx.tenant, async (sql) => ({
        questions: await goldenQuestions(sql, collection),
        runs: await goldenRuns(sql, collection),
      }))
    },

    setGolden: async (ctx, { collection, questions }) => {
      await open(ctx, collection)
      await database.tenant(ctx.tenant, (sql) => setGoldenQuestions(sql, collection, questions, Date.now()))
      return { questions: questions.length }
    },

    runGolden: async (ctx, { collection }) => {
      await open(ctx, collection)
      // What is measured is the generation that is used now, not the one of a moment ago.
      cache.forget(ctx.tenant)
      const questions = await database.tenant(ctx.tenant, (sql) => goldenQuestions(sql, collection))
      const run = await askAll(parts, cache, ctx, collection, questions)
      await database.tenant(ctx.tenant, (sql) => keepGoldenRun(sql, collection, run))
      return run
    },
  }
}

async function askAll(
  parts: KnowledgeParts,
  cache: CollectionsCache,
  ctx: PoolContext,
  collection: string,
  questions: readonly GoldenQuestion[],
): Promise<GoldenRun> {
  const scores = []
  let generation = 0
  for (const golden of questions) {
    ctx.signal.throwIfAborted()
    const asked = { question: golden.question, collections: [collection], filter: {}, limit: DEPTH }
    const found = await find(parts, cache, ctx, asked)
    generation = found.collections[0]?.generation?.generation ?? 0
    scores.push(scoreRanks(found.passages.map((passage) => isRight(golden, passage))))
  }
  return { id: newId(), generation, questions: questions.length, ...meanOf(scores), at: Date.now() }
}

function isRight({ documents, quote }: GoldenQuestion, passage: Finding['passages'][number]): boolean {
  if (documents.length > 0 && !documents.includes(passage.documentId)) return false
  return quote === '' || plain(passage.text).includes(plain(quote))
}

function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().toLowerCase()
}
