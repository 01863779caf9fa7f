import type { z } from 'zod'
import type { PoolContext } from '#shared/actor/definition.ts'
import { CollectionSettings } from '#shared/contracts/knowledge.ts'
import type { FoundPassage, SearchRequest } from '#shared/contracts/knowledge.ts'
import { isStaff } from '#shared/contracts/staff.ts'
import {
  collectionById,
  languagesOfCollections,
  listCollections,
} from '#shared/db/repositories/knowledge/collections.ts'
import { parentRanges } from '#shared/db/repositories/knowledge/find.ts'
import type { FindScope } from '#shared/db/repositories/knowledge/find.ts'
import { generationOf } from '#shared/db/repositories/knowledge/generations.ts'
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import { RANKED, WEIGHTED } from '#shared/ranking/fusion.ts'
import { MIN_COVERAGE } from '#shared/ranking/coverage.ts'
import { search } from '#shared/ranking/search.ts'
import type { RankedPassage, SearchOptions, SearchResult } from '#shared/ranking/search.ts'
import type { QueryEmbedder } from '#shared/ranking/search-index.ts'
import { canonicalSlice } from '../documents/passages.ts'
import type { KnowledgeParts } from '../parts.ts'
import { SqlIndex } from './sql-index.ts'
import type { SqlPassage } from './sql-index.ts'

/** A collection's settings and active generation, as searches need them. */
export interface Searched {
  readonly id: string
  readonly settings: CollectionSettings
  readonly generation: GenerationRow | null
  readonly languages: readonly string[]
}

/** A change of settings, or a switch to another generation, is seen everywhere within this time. */
const FRESH_MS = 2_000
const TENANTS_KEPT = 1_000

export type CollectionsCache = FreshCache<readonly Searched[]>

/** One read of a tenant's collections for many searches. Nothing of any document is kept here. */
export function collectionsCache({ database }: KnowledgeParts): CollectionsCache {
  return new FreshCache({
    ttlMs: FRESH_MS,
    capacity: TENANTS_KEPT,
    load: (tenant) =>
      database.tenant(tenant, async (sql) => {
        const searched: Searched[] = []
        const languages = await languagesOfCollections(sql)
        for (const { id, settings, generation } of await listCollections(sql))
          searched.push({
            id,
            settings: CollectionSettings.parse(settings),
            generation: generation === 0 ? null : await generationOf(sql, id, generation),
            languages: languages.get(id) ?? [],
          })
        return searched
      }),
  })
}

export interface Finding extends SearchResult {
  readonly passages: readonly (RankedPassage & SqlPassage)[]
  readonly covered: boolean
  readonly total: number
  readonly collections: readonly Searched[]
}

type Asked = Pick<z.infer<typeof SearchRequest>, 'question' | 'collections' | 'filter'> & { readonly limit: number }

/** The passages that answer a question best, for whoever asks: what they may not read is not looked at. */
export async function find(
  parts: KnowledgeParts,
  cache: CollectionsCache,
  ctx: PoolContext,
  asked: Asked,
): Promise<Finding> {
  const known = await cache.get(ctx.tenant)
  for (const collection of asked.collections)
    if (!known.some(({ id }) => id === collection)) {
      // It may have been made just now.
      const row = await parts.database.tenant(ctx.tenant, (sql) => collectionById(sql, collection))
      if (row === null) throw refuse('NOT_FOUND', { collection })
      cache.forget(ctx.tenant)
      return await find(parts, cache, ctx, asked)
    }
  const collections = asked.collections.length === 0 ? known : known.filter(({ id }) => asked.collections.includes(id))
  const scope: FindScope = {
    collections: asked.collections,
    ...readerOf(ctx),
    tags: asked.filter.tags ?? null,
    metadata: asked.filter.metadata ?? null,
    documents: asked.filter.documents ?? null,
  }
  const leg = await vectorLeg(parts, ctx, collections)
  const index = new SqlIndex({ ...parts, tenant: ctx.tenant, scope, vectorIndex: leg?.index ?? null })
  const settings = collections.map((one) => one.settings)
  const options: SearchOptions = {
    limit: asked.limit,
    fusion: leg?.lexical === false ? RANKED : WEIGHTED,
    languages: [...new Set(collections.flatMap((one) => one.languages))],
    glossary: new Map(settings.flatMap((one) => Object.entries(one.glossary))),
    ...(await judgeOf(parts, ctx, settings)),
  }
  const result = await search(index, leg?.embed ?? null, asked.question, options)
  const minCoverage = Math.min(...settings.map((one) => one.minCoverage ?? MIN_COVERAGE), 1)
  return {
    ...result,
    passages: await withParents(parts, ctx.tenant, result.passages as Finding['passages']),
    covered: result.passages.length > 0 && result.coverage >= minCoverage,
    total: index.total,
    collections,
  }
}

/** Collections that were embedded alike are searched by vectors too; unlike ones have no scale in common. */
async function vectorLeg(
  parts: KnowledgeParts,
  ctx: PoolContext,
  collections: readonly Searched[],
): Promise<{
  index: { collection: string; generation: number; dimensions: number }
  embed: QueryEmbedder
  lexical: boolean
} | null> {
  const [only, ...others] = collections
  if (only === undefined || others.length > 0 || only.generation === null) return null
  const { generation, dimensions, embedder: id } = only.generation
  const embedder = await parts.embedder(ctx.tenant, only.id, only.generation)
  return {
    index: { collection: only.id, generation, dimensions },
    lexical: id.startsWith('builtin/'),
    embed: { embedQuery: (question, idf) => embedder.embedQuery(question, { idf }, ctx.signal) },
  }
}

async function judgeOf(
  parts: KnowledgeParts,
  ctx: PoolContext,
  settings: readonly CollectionSettings[],
): Promise<Pick<SearchOptions, 'judge'>> {
  const configured = settings.find((one) => one.reranker !== null)?.reranker ?? null
  const reranker = await parts.reranker(ctx.tenant, configured)
  if (reranker === null) return {}
  return {
    judge: (question, passages) =>
      reranker.rerank(
        question,
        passages.map(({ text }) => text),
        ctx.signal,
      ),
  }
}

/** What the principal's documents are opened by. Staff see everything of their tenant. */
export function readerOf({ cause }: PoolContext): { readonly reads: readonly string[]; readonly staff: boolean } {
  const { principal } = cause
  if (principal === null) return { reads: [], staff: false }
  const roles = [...principal.roles]
  return {
    reads: [`user:${principal.user}`, ...roles.map((role) => `role:${role}`)],
    staff: isStaff(principal),
  }
}

/** As the API tells of it: named by document, version and ordinal. */
export function foundPassage({ explain, ...passage }: Finding['passages'][number], explained: boolean): FoundPassage {
  const {
    documentId,
    version,
    ordinal,
    collection,
    title,
    headings,
    header,
    text,
    start,
    end,
    pages,
    language,
    score,
  } = passage
  return {
    id: `${documentId}.${version}.${ordinal}`,
    documentId,
    version,
    collection,
    title,
    headings: [...headings],
    header,
    text,
    start,
    end,
    pages: [...pages],
    language,
    score,
    explain: explained ? { ...explain } : null,
  }
}

/** Small chunks are found, the larger passage around them is read; of several chunks of one, the best stands for it. */
async function withParents(
  { database }: KnowledgeParts,
  tenant: string,
  found: Finding['passages'],
): Promise<Finding['passages']> {
  const inside = found.flatMap(({ segment, parent }) => (parent === null ? [] : [{ segment, parent }]))
  if (inside.length === 0) return found
  return await database.tenant(tenant, async (sql) => {
    const ranges = new Map(
      (await parentRanges(sql, inside)).map((range) => [`${range.segment}.${range.parent}`, range]),
    )
    const passages: Finding['passages'][number][] = []
    const seen = new Set<string>()
    for (const passage of found) {
      const name = `${passage.segment}.${passage.parent}`
      const range = ranges.get(name)
      if (seen.has(name)) continue
      if (range === undefined) passages.push(passage)
      else {
        seen.add(name)
        const { start, end } = range
        passages.push({ ...passage, start, end, text: await canonicalSlice(sql, passage, start, end) })
      }
    }
    return passages
  })
}
