import type { TenantSql } from '#shared/actor/store.ts'

/**
 * Where vectors lie. A point is a place (tenant, collection, generation, segment, ordinal) and a vector, and nothing of
 * the content: what a chunk says and who may read it is in the database, and a lost store is built again from there.
 *
 * What an adapter must supply:
 *
 * - Every call is of one tenant. No point of another tenant, collection, generation or segment is ever given back; an
 *   adapter whose server could give one checks each, and answers INTERNAL with nothing rather than leave one out.
 * - `nearest` ranks by cosine similarity, best first, equal scores by (segment, ordinal). `segments` is applied before
 *   ranking: when `limit` points pass it, `limit` points come back. A score is within 0.002 of the exact cosine (stores
 *   keep half floats); a vector of zeros is as near to everything as 0.
 * - `write` replaces what is at the same place, so that a crashed ingest can write its points again.
 * - A vector that has not the dimensions of its index, or holds what is no number, is WRONG_VECTOR, and nothing is written.
 * - What is done is seen by the next call of the same process.
 */
export interface VectorStore {
  /** Whether calls with a TenantSql are part of its transaction. Where not, do not call it within one: it is not SQL. */
  readonly transactional: boolean

  /** Makes what the index needs before its first point. Harmless twice. */
  prepare(scope: VectorScope, index: VectorIndex): Promise<void>

  write(scope: VectorScope, index: VectorIndex, points: readonly VectorPoint[]): Promise<void>

  nearest(scope: VectorScope, index: VectorIndex, query: NearestQuery): Promise<VectorHit[]>

  /** For the sweeper: how many points there are. Of a collection, all its generations; of a generation; of a segment. */
  count(scope: VectorScope, part: VectorPart): Promise<number>

  /** Removes all points of a part. */
  drop(scope: VectorScope, part: VectorPart): Promise<void>

  /**
   * To be called when an ingest has ended and `count` points are in this generation: builds an approximate index where
   * the store works without one for small numbers. May take minutes; searches and writes go on meanwhile. Says how the
   * generation is searched from now on.
   */
  ensureIndex(tenant: string, index: VectorIndex, count: number): Promise<'exact' | 'approximate'>

  /** Removes a generation, its points and what was built for it. */
  dropGeneration(tenant: string, index: VectorIndex): Promise<void>
}

/** A tenant's name, or its open transaction (see `transactional`). */
export type VectorScope = string | TenantSql

/** One generation of a collection: everything in it was embedded by the same model. */
export interface VectorIndex {
  readonly collection: string
  readonly generation: number
  readonly dimensions: number
}

export interface VectorPoint {
  /** One version of one document; a safe integer. */
  readonly segment: number
  /** Of the chunk in that version. */
  readonly ordinal: number
  readonly vector: Float32Array
}

export interface NearestQuery {
  readonly vector: Float32Array
  readonly limit: number
  /** Only points of these; null: of all. Empty: of none. */
  readonly segments: readonly number[] | null
}

export interface VectorHit {
  readonly segment: number
  readonly ordinal: number
  /** Cosine similarity, -1 to 1. */
  readonly score: number
}

/** What is left out is not looked at: only a collection means all of its generations. */
export interface VectorPart {
  readonly collection: string
  readonly generation?: number
  readonly segment?: number
}

/** More in one call is BAD_INPUT. */
export const MAX_NEAREST = 1_000
/** Of a halfvec that fits a page of PostgreSQL beside its key; pgvector's HNSW ends at 4,000. */
export const MAX_DIMENSIONS = 3_840
