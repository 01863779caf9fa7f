import type { Database } from '#shared/db/database.ts'
import { countTerms, findByTerms, liveSegments, loadFound } from '#shared/db/repositories/knowledge/find.ts'
import type { FindScope, FoundChunk } from '#shared/db/repositories/knowledge/find.ts'
import type {
  Hit,
  KeywordHits,
  QueryTerm,
  SearchIndex,
  StoredPassage,
  TermFrequencies,
} from '#shared/ranking/search-index.ts'
import type { VectorIndex, VectorStore } from '#shared/vectors/vector-store.ts'

const K1 = 1.2
const B = 0.75

export interface SqlIndexParts {
  readonly database: Database
  readonly vectors: VectorStore
  readonly tenant: string
  readonly scope: FindScope
  /** The generation whose vectors are searched; null: none is. */
  readonly vectorIndex: VectorIndex | null
}

/** The passage with what a caller of the API is told beyond what ranking needs. */
export interface SqlPassage extends StoredPassage {
  readonly collection: string
  readonly end: number
  readonly segment: number
  /** Ordinal that names the larger passage it belongs to, or null. */
  readonly parent: number | null
}

/**
 * The index of one search, for one reader: every question it asks the database has the same scope, so that what may not be
 * found is neither ranked, nor counted, nor loaded.
 */
export class SqlIndex implements SearchIndex {
  readonly #parts: SqlIndexParts
  readonly loaded = new Map<string, SqlPassage>()
  /** Chunks that may be found; known after the first search by keywords. */
  total = 0

  constructor(parts: SqlIndexParts) {
    this.#parts = parts
  }

  async keyword(terms: readonly QueryTerm[], limit: number): Promise<KeywordHits> {
    const { database, tenant, scope } = this.#parts
    const { hits, frequencies, total } = await database.tenant(tenant, (sql) =>
      findByTerms(sql, scope, terms, { limit, k1: K1, b: B }),
    )
    this.total = total
    return {
      hits: hits.map(({ segment, ordinal, score }) => ({ id: idOf(segment, ordinal), score })),
      ...counted(
        terms.map(({ term }) => term),
        frequencies,
        total,
      ),
    }
  }

  async frequencies(terms: readonly string[]): Promise<TermFrequencies> {
    const { database, tenant, scope } = this.#parts
    const { frequencies, total } = await database.tenant(tenant, (sql) => countTerms(sql, scope, terms))
    return counted(terms, frequencies, total)
  }

  async nearest(vector: Float32Array, limit: number): Promise<readonly Hit[]> {
    const { database, tenant, scope, vectors, vectorIndex } = this.#parts
    if (vectorIndex === null) return []
    const hits = await database.tenant(tenant, async (sql) => {
      const segments = (await liveSegments(sql, scope)).map(({ segment }) => segment)
      const query = { vector, limit, segments }
      return vectors.transactional ? { hits: await vectors.nearest(sql, vectorIndex, query) } : { query }
    })
    const found = 'hits' in hits ? hits.hits : await vectors.nearest(tenant, vectorIndex, hits.query)
    return found.map(({ segment, ordinal, score }) => ({ id: idOf(segment, ordinal), score }))
  }

  async load(ids: readonly string[]): Promise<readonly SqlPassage[]> {
    const { database, tenant, scope } = this.#parts
    const wanted = ids.filter((id) => !this.loaded.has(id))
    if (wanted.length > 0) {
      const rows = await database.tenant(tenant, (sql) => loadFound(sql, scope, wanted.map(placeOf)))
      for (const row of rows) this.loaded.set(idOf(row.segment, row.ordinal), passageOf(row))
    }
    return ids.flatMap((id) => this.loaded.get(id) ?? [])
  }
}

function counted(
  terms: readonly string[],
  frequencies: Readonly<Record<string, number>>,
  total: number,
): TermFrequencies {
  return { frequencies: new Map(terms.map((term) => [term, frequencies[term] ?? 0])), total }
}

function idOf(segment: number, ordinal: number): string {
  return `${segment}.${ordinal}`
}

function placeOf(id: string): { readonly segment: number; readonly ordinal: number } {
  const [segment, ordinal] = id.split('.')
  return { segment: Number(segment), ordinal: Number(ordinal) }
}

function passageOf(row: FoundChunk): SqlPassage {
  return { ...row, id: idOf(row.segment, row.ordinal) }
}
