import { Knowledge } from '#shared/contracts/knowledge.ts'
import type { Reach } from '#shared/actor/ref.ts'
import type { Database } from '#shared/db/database.ts'
import { findByTerms, liveSegments, loadFound } from '#shared/db/repositories/knowledge/find.ts'
import type { FindScope } from '#shared/db/repositories/knowledge/find.ts'
import { embedHashedQuery } from '#shared/ranking/hashed-embedder.ts'
import { HASHED_DIMENSIONS } from '#shared/ranking/hashed-embedder.ts'
import { queryTerms } from '#shared/ranking/terms.ts'
import { PgVectorStore } from '#shared/vectors/pgvector/pgvector-store.ts'

const SCOPE: FindScope = { collections: ['main'], reads: [], staff: true, tags: null, metadata: null, documents: null }
/** As search.ts asks: candidates of each leg, and how many of them are read. */
const CANDIDATES = 50
const READ = 20

export interface TimedSearch {
  readonly ms: number
  /** It was searched once more, with words of what was found first. */
  readonly expanded: boolean
}

/** One search over the broker. */
export async function searchTimed(reach: Reach, question: string): Promise<TimedSearch> {
  const begun = performance.now()
  const request = { question, collections: ['main'], filter: {}, limit: 8, explain: false, answering: false }
  const { expanded } = await reach.pool(Knowledge, 'main').ask('search', request)
  return { ms: performance.now() - begun, expanded: expanded.length > 0 }
}

/** The SQL of such a search and nothing else, in this process. */
export async function sqlTimed(database: Database, tenant: string, question: string): Promise<number> {
  const store = new PgVectorStore(database)
  const terms = queryTerms(question)
  const vector = embedHashedQuery(question, () => 1)
  const begun = performance.now()
  const { hits } = await database.tenant(tenant, (sql) =>
    findByTerms(sql, SCOPE, terms, { limit: CANDIDATES, k1: 1.2, b: 0.75 }),
  )
  await database.tenant(tenant, async (sql) => {
    const segments = (await liveSegments(sql, SCOPE)).map(({ segment }) => segment)
    const index = { collection: 'main', generation: 1, dimensions: HASHED_DIMENSIONS }
    return await store.nearest(sql, index, { vector, limit: CANDIDATES, segments })
  })
  await database.tenant(tenant, (sql) => loadFound(sql, SCOPE, hits.slice(0, READ)))
  return performance.now() - begun
}
