import type { Agent } from 'undici'
import { EmbedderSettings } from '#shared/contracts/knowledge.ts'
import type { CollectionSettings } from '#shared/contracts/knowledge.ts'
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import type { Database } from '#shared/db/database.ts'
import type { Secrets } from '#shared/db/secrets.ts'
import { modelOf } from '#shared/db/repositories/knowledge/generations.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { OutboundRules } from '#shared/lib/outbound/address-rules.ts'
import { guardedFetch } from '#shared/lib/outbound/guarded-fetch.ts'
import { HASHED_DIMENSIONS, HASHED_VERSION, embedHashed, embedHashedQuery } from '#shared/ranking/hashed-embedder.ts'
import { LSA_DIMENSIONS, LSA_VERSION, lsaEmbedder, lsaFromBytes } from '#shared/ranking/lsa.ts'
import { createEmbedder } from '#shared/vectors/create-embedder.ts'
import { createReranker } from '#shared/vectors/create-reranker.ts'
import type { Embedder } from '#shared/vectors/embedder.ts'
import type { LexicalMaths } from '#shared/vectors/embedders/builtin-embedder.ts'
import type { Reranker } from '#shared/vectors/reranker.ts'
import type { KnowledgeParts } from './parts.ts'

const HASHED: LexicalMaths = {
  id: HASHED_VERSION,
  dimensions: HASHED_DIMENSIONS,
  document: embedHashed,
  query: embedHashedQuery,
}

/** What names a generation: vectors of another id cannot be compared with its own. */
export function embedderId({ provider, model }: EmbedderSettings): string {
  return provider === 'builtin' ? HASHED_VERSION : `${provider}/${model}`
}

/** Of a hosted model they are a setting: the first vector that has others is refused. */
export function embedderDimensions({ provider, dimensions }: EmbedderSettings): number {
  if (provider === 'builtin') return HASHED_DIMENSIONS
  if (dimensions === undefined)
    throw refuse('BAD_INPUT', {
      fields: [{ path: 'settings.embedder.dimensions', problem: 'needed for a hosted model' }],
    })
  return dimensions
}

interface Line {
  readonly database: Database
  readonly secrets: Secrets
  readonly agent: Agent
  readonly rules: OutboundRules
}

/** Models of collections that are held at a time, five megabytes each at most, and how long after the last use. */
const MODELS_KEPT = 32
const MODEL_KEPT_MS = 10 * 60_000

/** A model never changes, so one that was read is good as long as it is kept. */
function fittedSource({
  database,
}: Line): (tenant: string, collection: string, row: GenerationRow) => Promise<Embedder> {
  const cache = new FreshCache<Embedder>({
    ttlMs: MODEL_KEPT_MS,
    capacity: MODELS_KEPT,
    load: async (key) => {
      const [tenant, collection, generation] = JSON.parse(key) as [string, string, number]
      const bytes = await database.tenant(tenant, (sql) => modelOf(sql, collection, generation))
      const model = bytes === null ? null : lsaFromBytes(bytes)
      if (model === null) throw new WaggleError('INTERNAL', { reason: 'The generation has no model.', collection })
      const maths = lsaEmbedder(model)
      return createEmbedder(
        { provider: 'builtin' },
        { lexical: { id: LSA_VERSION, dimensions: LSA_DIMENSIONS, ...maths } },
      )
    },
  })
  return (tenant, collection, { generation, createdAt }) =>
    cache.get(JSON.stringify([tenant, collection, generation, createdAt]))
}

/** A tenant's key is opened for each use and kept nowhere; its base URL is reached like any other address it names. */
export function embedderSource(line: Line): KnowledgeParts['embedder'] {
  const builtin = createEmbedder({ provider: 'builtin' }, { lexical: HASHED })
  const fitted = fittedSource(line)
  return async (tenant, collection, row): Promise<Embedder> => {
    if (row.embedder === LSA_VERSION) return await fitted(tenant, collection, row)
    const settings = EmbedderSettings.parse(row.settings)
    const { provider, model, baseUrl } = settings
    if (provider === 'builtin') return builtin
    const apiKey = await keyOf(line, tenant, settings.secret)
    const dimensions = embedderDimensions(settings)
    return createEmbedder(
      { provider, model, tenant, dimensions, ...optional({ baseUrl, apiKey }) },
      { fetch: guardedFetch(line.agent, line.rules) },
    )
  }
}

export function rerankerSource(line: Line): KnowledgeParts['reranker'] {
  return async (tenant: string, settings: CollectionSettings['reranker']): Promise<Reranker | null> => {
    if (settings === null) return null
    const { provider, model, baseUrl } = settings
    const apiKey = await keyOf(line, tenant, settings.secret)
    return createReranker(
      { provider, model, tenant, ...optional({ baseUrl, apiKey }) },
      { fetch: guardedFetch(line.agent, line.rules) },
    )
  }
}

async function keyOf(
  { database, secrets }: Line,
  tenant: string,
  secret: string | undefined,
): Promise<string | undefined> {
  if (secret === undefined) return undefined
  const key = await database.tenant(tenant, (sql) => secrets.get(sql, secret))
  if (key === null) throw refuse('NOT_FOUND', { secret })
  return key
}

function optional(given: { readonly baseUrl: string | undefined; readonly apiKey: string | undefined }): {
  baseUrl?: string
  apiKey?: string
} {
  return {
    ...(given.baseUrl === undefined ? {} : { baseUrl: given.baseUrl }),
    ...(given.apiKey === undefined ? {} : { apiKey: given.apiKey }),
  }
}
