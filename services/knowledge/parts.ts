import type { Database } from '#shared/db/database.ts'
import type { GenerationRow } from '#shared/db/repositories/knowledge/generations.ts'
import type { ObjectBucket } from '#shared/transport/port.ts'
import type { Embedder } from '#shared/vectors/embedder.ts'
import type { Reranker } from '#shared/vectors/reranker.ts'
import type { VectorStore } from '#shared/vectors/vector-store.ts'
import type { CollectionSettings } from '#shared/contracts/knowledge.ts'
import type { Parser } from './parse/parse-document.ts'
import type { Fetched } from './ingest/fetch-source.ts'

/** What the actors of this role are given; `main.ts` joins it together. */
export interface KnowledgeParts {
  readonly database: Database
  readonly objects: ObjectBucket
  readonly vectors: VectorStore
  readonly parse: Parser['parseDocument']
  /** The embedder that a generation was made with. */
  readonly embedder: (tenant: string, collection: string, generation: GenerationRow) => Promise<Embedder>
  readonly reranker: (tenant: string, settings: CollectionSettings['reranker']) => Promise<Reranker | null>
  /** Reads an address, safe against being sent to a private one. */
  readonly fetchSource: (url: string, signal: AbortSignal) => Promise<Fetched>
}
