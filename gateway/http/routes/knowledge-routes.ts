import { z } from 'zod'
import { Ingestion } from '#shared/contracts/ingestion.ts'
import {
  AnswerRequest,
  AskedBefore,
  Collection,
  CollectionName,
  CollectionSettings,
  CuratedAnswer,
  CuratedText,
  EmbedderSettings,
  GoldenQuestion,
  GoldenRun,
  Knowledge,
  KnowledgeAnswer,
  SearchRequest,
  SearchResult,
  UnansweredQuestion,
} from '#shared/contracts/knowledge.ts'
import type { KnowledgePiece } from '#shared/contracts/knowledge.ts'
import { requireRole } from '#gateway/auth/roles.ts'
import { Page, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route, ServerSent } from '../route.ts'

const tag = 'knowledge'
const WITHIN = '10s'
const Named = z.object({ collection: CollectionName })
const WithId = Named.extend({ id: z.string().max(64) })

/** Collections, what is asked of them, and how well they answer. */
export function knowledgeRoutes(): readonly Route[] {
  return [...asking(), ...collections(), ...quality()]
}

function asking(): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/search',
      id: 'search',
      tag,
      summary: 'The passages that answer a question best; `explain` shows every score.',
      body: SearchRequest,
      response: SearchResult,
      handle: ({ reach, body }) => reach.pool(Knowledge, 'main').ask('search', body),
    }),
    route({
      method: 'POST',
      path: '/query',
      id: 'query',
      tag,
      summary:
        'An answer whose every citation is a quoted span. With `Accept: text/event-stream` it comes as it is made.',
      body: AnswerRequest,
      response: KnowledgeAnswer,
      handle: async ({ reach, body, signal }) => {
        for await (const piece of reach.pool(Knowledge, 'main').stream('answer', body, { signal }))
          if (piece.kind === 'answer') return piece.answer
        return null
      },
      stream: ({ reach, body, signal }) => asEvents(reach.pool(Knowledge, 'main').stream('answer', body, { signal })),
    }),
    route({
      method: 'GET',
      path: '/query/history',
      id: 'listQueries',
      tag,
      summary: 'What you have asked, the newest first.',
      query: Page,
      response: z.object({ queries: z.array(AskedBefore), next }),
      handle: ({ reach, query }) => reach.pool(Knowledge, 'main').ask('history', pageOf(query)),
    }),
  ]
}

async function* asEvents(pieces: AsyncIterable<KnowledgePiece>): AsyncGenerator<ServerSent> {
  for await (const { kind, ...piece } of pieces) yield { event: kind, data: 'answer' in piece ? piece.answer : piece }
}

function collections(): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/collections',
      id: 'listCollections',
      tag,
      summary: 'Collections with how much is in them.',
      response: z.object({ collections: z.array(Collection) }),
      handle: ({ reach }) => reach.pool(Knowledge, 'main').ask('collections', {}),
    }),
    route({
      method: 'GET',
      path: '/collections/{collection}',
      id: 'getCollection',
      tag,
      summary: 'One collection: its settings and how much is in it.',
      params: Named,
      response: Collection,
      handle: ({ reach, params }) => reach.pool(Knowledge, 'main').ask('collection', params),
    }),
    route({
      method: 'PUT',
      path: '/collections/{collection}',
      id: 'saveCollection',
      tag,
      summary: 'Creates a collection, or changes what is given of one. Another embedder is used after `reindex`.',
      params: Named,
      body: z.object({
        title: z.string().max(200).exactOptional(),
        description: z.string().max(2_000).exactOptional(),
        settings: CollectionSettings.partial().exactOptional(),
      }),
      response: z.object({ created: z.boolean() }),
      handle: async ({ principal, reach, params, body }) => {
        requireRole(principal, 'operator')
        const writer = reach.ref(Ingestion, 'main')
        const given = body.settings ?? {}
        const made = await writer.confirm(
          'createCollection',
          {
            id: params.collection,
            title: body.title ?? params.collection,
            description: body.description ?? '',
            settings: CollectionSettings.parse(given),
          },
          { within: WITHIN },
        )
        const { created } = z.object({ created: z.boolean() }).parse(made)
        if (!created) {
          const { settings } = await reach.pool(Knowledge, 'main').ask('collection', params)
          const change = { ...body, settings: CollectionSettings.parse({ ...settings, ...given }) }
          await writer.confirm('configureCollection', { id: params.collection, ...change }, { within: WITHIN })
        }
        return { created }
      },
    }),
    route({
      method: 'DELETE',
      path: '/collections/{collection}',
      id: 'removeCollection',
      tag,
      status: 202,
      summary: 'Hides all of its documents at once. Asked again when they are gone, the collection goes too.',
      params: Named,
      response: z.object({ removed: z.boolean() }),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.ref(Ingestion, 'main').confirm('removeCollection', { id: params.collection }, { within: WITHIN })
      },
    }),
    route({
      method: 'GET',
      path: '/stats',
      id: 'knowledgeStats',
      tag,
      summary: 'How much there is in all.',
      response: z.object({ collections: z.number(), documents: z.number(), chunks: z.number(), bytes: z.number() }),
      handle: async ({ reach }) => {
        const { collections: all } = await reach.pool(Knowledge, 'main').ask('collections', {})
        const sum = (of: (one: Collection) => number): number => all.reduce((total, one) => total + of(one), 0)
        return {
          collections: all.length,
          documents: sum((one) => one.documents),
          chunks: sum((one) => one.chunks),
          bytes: sum((one) => one.bytes),
        }
      },
    }),
    route({
      method: 'POST',
      path: '/reindex',
      id: 'reindex',
      tag,
      status: 202,
      summary: 'Builds another generation of vectors beside the one in use, which is switched to when it is complete.',
      body: Named.extend({ embedder: EmbedderSettings.optional(), fitted: z.boolean().default(false) }),
      response: z.object({ generation: z.number().int() }),
      handle: ({ principal, reach, body }) => {
        requireRole(principal, 'operator')
        return reach.ref(Ingestion, 'main').confirm('reindex', body, { within: WITHIN })
      },
    }),
    route({
      method: 'POST',
      path: '/collections/{collection}/rollback',
      id: 'rollbackIndex',
      tag,
      summary: 'Goes back to a generation that is still there.',
      params: Named,
      body: z.object({ generation: z.number().int().positive() }),
      response: z.object({}),
      handle: ({ principal, reach, params, body }) => {
        requireRole(principal, 'operator')
        return reach.ref(Ingestion, 'main').confirm('rollback', { ...params, ...body }, { within: WITHIN })
      },
    }),
  ]
}

function quality(): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/collections/{collection}/golden',
      id: 'listGolden',
      tag,
      summary: 'Questions whose right passage is known, and how well they were found over time.',
      params: Named,
      response: z.object({ questions: z.array(GoldenQuestion), runs: z.array(GoldenRun) }),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('golden', params)
      },
    }),
    route({
      method: 'PUT',
      path: '/collections/{collection}/golden',
      id: 'setGolden',
      tag,
      summary: 'These golden questions and no others.',
      params: Named,
      body: z.object({ questions: z.array(GoldenQuestion).max(2_000) }),
      response: z.object({ questions: z.number().int() }),
      handle: ({ principal, reach, params, body }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('setGolden', { ...params, ...body })
      },
    }),
    route({
      method: 'POST',
      path: '/collections/{collection}/golden/run',
      id: 'runGolden',
      tag,
      summary: 'Asks them all now: recall of the first five, MRR, nDCG of the first ten.',
      params: Named,
      response: GoldenRun,
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('runGolden', params)
      },
    }),
    route({
      method: 'GET',
      path: '/collections/{collection}/unanswered',
      id: 'listUnanswered',
      tag,
      summary: 'What was asked and is not in the documents, the latest first.',
      params: Named,
      query: Page,
      response: z.object({ questions: z.array(UnansweredQuestion), next }),
      handle: ({ principal, reach, params, query }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('unanswered', { ...params, ...pageOf(query) })
      },
    }),
    route({
      method: 'POST',
      path: '/collections/{collection}/unanswered/{id}/dismiss',
      id: 'dismissUnanswered',
      tag,
      summary: 'Nobody needs to answer it.',
      params: WithId,
      response: z.object({}),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('dismiss', params)
      },
    }),
    route({
      method: 'GET',
      path: '/collections/{collection}/answers',
      id: 'listCuratedAnswers',
      tag,
      summary: 'Answers that people gave, and how often each was said.',
      params: Named,
      response: z.object({ answers: z.array(CuratedAnswer) }),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('curated', params)
      },
    }),
    route({
      method: 'POST',
      path: '/collections/{collection}/answers',
      id: 'saveCuratedAnswer',
      tag,
      summary: 'Said from now on where the question is near enough, without asking a model.',
      params: Named,
      body: CuratedText,
      response: z.object({ id: z.string() }),
      handle: ({ principal, reach, params, body }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('curate', { ...params, ...body })
      },
    }),
    route({
      method: 'DELETE',
      path: '/collections/{collection}/answers/{id}',
      id: 'removeCuratedAnswer',
      tag,
      summary: 'It is not said any more.',
      params: WithId,
      response: z.object({}),
      handle: ({ principal, reach, params }) => {
        requireRole(principal, 'operator')
        return reach.pool(Knowledge, 'main').ask('uncurate', params)
      },
    }),
  ]
}
