import { poolActor } from '#shared/actor/definition.ts'
import type { PoolDefinition } from '#shared/actor/definition.ts'
import { CollectionSettings, Knowledge } from '#shared/contracts/knowledge.ts'
import type { Collection } from '#shared/contracts/knowledge.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { listAsked } from '#shared/db/repositories/knowledge/asked.ts'
import { collectionById, listCollections } from '#shared/db/repositories/knowledge/collections.ts'
import type { CollectionRow } from '#shared/db/repositories/knowledge/collections.ts'
import { documentSummary, listDocuments } from '#shared/db/repositories/knowledge/documents.ts'
import { uploadById } from '#shared/db/repositories/knowledge/uploads.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { answerStream, keepUnheld } from './answer/answer.ts'
import { citationsOf } from './answer/citations.ts'
import { curatedHandlers, nearestCurated } from './answer/curated.ts'
import { chunksOf, passageOf, previewOf } from './documents/passages.ts'
import { markOf, nextOf } from '#shared/db/repositories/page-mark.ts'
import { goldenHandlers } from './golden/golden.ts'
import type { KnowledgeParts } from './parts.ts'
import { collectionsCache, find, foundPassage, readerOf } from './search/find.ts'

/** Searches wait for the database most of the time. */
const CONCURRENCY = 32

/** Answers what is asked of a tenant's knowledge. Stateless: any replica, and everything by row-level security (I9). */
export function knowledgePool(parts: KnowledgeParts): PoolDefinition {
  const { database } = parts
  const cache = collectionsCache(parts)
  return poolActor(Knowledge, {
    concurrency: CONCURRENCY,
    on: {
      search: async (ctx, request) => {
        const started = performance.now()
        const found = await find(parts, cache, ctx, request)
        const curated = request.answering
          ? await nearestCurated(parts, ctx.tenant, request.question, found.collections)
          : null
        if (request.answering && curated === null && !found.covered)
          await keepUnheld(parts, ctx, request.question, found)
        return {
          curated: curated === null ? null : { id: curated.id, answer: curated.answer },
          passages: found.passages.map((passage) => foundPassage(passage, request.explain)),
          coverage: found.coverage,
          covered: found.covered,
          expanded: [...found.expanded],
          rarity: Object.fromEntries(found.question.terms.map(({ stem, frequency }) => [stem, frequency ?? 0])),
          total: found.total,
          ms: performance.now() - started,
        }
      },

      answer: (ctx, request) => answerStream(parts, cache, ctx, request),

      cite: (ctx, { spans }) =>
        database.tenant(ctx.tenant, async (sql) => ({ citations: await citationsOf(sql, spans) })),

      history: (ctx, { limit, after }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const queries = await listAsked(sql, ctx.cause.principal?.user ?? '', limit, markOf(after).after)
          return {
            queries: queries.map((one) => ({
              ...one,
              citations: [...one.citations],
              collections: [...one.collections],
            })),
            next: nextOf(queries, limit, ({ at, id }) => ({ at, id })),
          }
        }),

      passage: (ctx, request) => database.tenant(ctx.tenant, (sql) => passageOf(sql, readerOf(ctx), request)),
      chunks: (ctx, { id, from }) => database.tenant(ctx.tenant, (sql) => chunksOf(sql, readerOf(ctx), id, from)),
      preview: (ctx, { id, chunks }) => database.tenant(ctx.tenant, (sql) => previewOf(sql, readerOf(ctx), id, chunks)),

      collections: (ctx) =>
        database.tenant(ctx.tenant, async (sql) => ({ collections: (await listCollections(sql)).map(collectionOf) })),

      collection: (ctx, { collection }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const row = await collectionById(sql, collection)
          if (row === null) throw refuse('NOT_FOUND', { collection })
          return collectionOf(row)
        }),

      documents: (ctx, { collection, limit, after }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const documents = await listDocuments(sql, readerOf(ctx), { collection, limit, ...markOf(after) })
          return { documents, next: nextOf(documents, limit, ({ createdAt: at, id }) => ({ at, id })) }
        }),

      document: (ctx, { id }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const document = await documentSummary(sql, id, readerOf(ctx))
          if (document === null) throw refuse('NOT_FOUND', { document: id })
          return document
        }),

      upload: (ctx, { id }) => {
        requireStaff(ctx, 'Uploads are')
        return database.tenant(ctx.tenant, async (sql) => {
          const upload = await uploadById(sql, id)
          if (upload === null) throw refuse('NOT_FOUND', { upload: id })
          return { received: upload.received, bytes: upload.bytes, parts: [...upload.parts] }
        })
      },

      ...goldenHandlers(parts, cache),
      ...curatedHandlers(parts),
    },
  })
}

function collectionOf({ settings, ...row }: CollectionRow): Collection {
  return { ...row, settings: CollectionSettings.parse(settings) }
}
