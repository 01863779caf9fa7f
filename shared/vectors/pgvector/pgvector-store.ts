import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Database } from '#shared/db/database.ts'

import { batchesOf, ranked, requireLimit, tenantOf } from '../store-query.ts'
import { requireDimensions, unitVector } from '../unit-vector.ts'
import type {
  NearestQuery,
  VectorHit,
  VectorIndex,
  VectorPart,
  VectorPoint,
  VectorScope,
  VectorStore,
} from '../vector-store.ts'
import { dropHnsw, ensureHnsw, hasHnsw, indexName } from './hnsw-index.ts'
import {
  AS_BEFORE,
  DIMENSIONS_THERE,
  USE_INDEX,
  WRITE,
  approximateStatement,
  countStatement,
  dropStatement,
  exactStatement,
  partValues,
  passingStatement,
} from './statements.ts'

/** Points of one search up to which every one is compared. Measured: README.md. */
export const EXACT_LIMIT = 10_000
/** Candidates kept while searching the approximate index; more is slower and finds more. */
export const SEARCH_CANDIDATES = 200
/** Vectors in one statement: about a megabyte of text at 1,024 dimensions. */
const WRITE_BATCH = 100
const DROP_BATCH = 5_000

export interface PgVectorOptions {
  readonly exactLimit?: number
  readonly searchCandidates?: number
  readonly clock?: Clock
}

/**
 * Vectors in the database that holds everything else: in one transaction with the chunks, and under the same row-level
 * security. Up to EXACT_LIMIT points that may be found, all are compared and the answer is exact; above it, once
 * `ensureIndex` has built one, an HNSW index of that generation alone. Where that gives fewer than there are, the answer is
 * made exactly after all.
 */
export class PgVectorStore implements VectorStore {
  readonly transactional = true
  readonly #database: Database
  readonly #exactLimit: number
  readonly #searchCandidates: number
  readonly #clock: Clock

  constructor(database: Database, options: PgVectorOptions = {}) {
    this.#database = database
    this.#exactLimit = options.exactLimit ?? EXACT_LIMIT
    this.#searchCandidates = options.searchCandidates ?? SEARCH_CANDIDATES
    this.#clock = options.clock ?? systemClock
  }

  async prepare(scope: VectorScope, index: VectorIndex): Promise<void> {
    tenantOf(scope)
    requireDimensions(index)
  }

  async write(scope: VectorScope, index: VectorIndex, points: readonly VectorPoint[]): Promise<void> {
    // The last of a place counts: one statement cannot write a row twice.
    const places = new Map(points.map((point) => [`${point.segment}/${point.ordinal}`, point]))
    const rows = [...places.values()].map((point) => ({ ...point, vector: unitVector(point.vector, index) }))
    if (rows.length === 0) return
    await this.#in(scope, async (sql) => {
      const place = [sql.tenant, index.collection, index.generation]
      const [there] = await sql.query<{ dimensions: number }>(DIMENSIONS_THERE, place)
      if (there !== undefined && there.dimensions !== index.dimensions) throw otherDimensions(index, there.dimensions)
      for (const batch of batchesOf(rows, WRITE_BATCH)) {
        const segments = batch.map((point) => point.segment)
        const ordinals = batch.map((point) => point.ordinal)
        const vectors = batch.map((point) => vectorText(point.vector))
        await sql.query(WRITE, [...place, segments, ordinals, vectors])
      }
    })
  }

  async nearest(scope: VectorScope, index: VectorIndex, query: NearestQuery): Promise<VectorHit[]> {
    requireLimit(query.limit)
    const vector = vectorText(unitVector(query.vector, index))
    if (query.segments?.length === 0) return []
    return this.#in(scope, async (sql) => {
      const values = [sql.tenant, index.collection, index.generation, vector, query.limit]
      if (query.segments !== null) values.push(query.segments as never)
      return ranked(await this.#search(sql, index, query, values))
    })
  }

  async count(scope: VectorScope, part: VectorPart): Promise<number> {
    return this.#in(scope, async (sql) => {
      const values = [sql.tenant, part.collection, ...partValues(part)]
      const [row] = await sql.query<{ points: number }>(countStatement(part), values)
      return row?.points ?? 0
    })
  }

  async drop(scope: VectorScope, part: VectorPart): Promise<void> {
    const text = dropStatement(part)
    for (let rows = DROP_BATCH; rows === DROP_BATCH;) {
      rows = await this.#in(scope, async (sql) => {
        const values = [sql.tenant, part.collection, DROP_BATCH, ...partValues(part)]
        return (await sql.query<{ rows: number }>(text, values))[0]?.rows ?? 0
      })
    }
  }

  async ensureIndex(tenant: string, index: VectorIndex, count: number): Promise<'exact' | 'approximate'> {
    requireDimensions(index)
    if (count > this.#exactLimit) await ensureHnsw(this.#database, tenant, index, this.#clock)
    return (await hasHnsw(this.#database, tenant, index)) ? 'approximate' : 'exact'
  }

  async dropGeneration(tenant: string, index: VectorIndex): Promise<void> {
    await dropHnsw(this.#database, tenant, index, this.#clock)
    await this.drop(tenant, { collection: index.collection, generation: index.generation })
  }

  async #search(
    sql: TenantSql,
    index: VectorIndex,
    { limit, segments }: NearestQuery,
    values: readonly unknown[],
  ): Promise<VectorHit[]> {
    const filtered = segments !== null
    const exact = (): Promise<VectorHit[]> => ask(sql, index, exactStatement(filtered), values)
    const settings = [indexName(sql.tenant, index), String(this.#searchCandidates)]
    const [use] = await sql.query<{ built: boolean; before: string[] }>(USE_INDEX, settings)
    if (use === undefined || !use.built) return exact()

    const passing = async (most: number): Promise<number> => {
      const place = [sql.tenant, index.collection, index.generation, most, ...(filtered ? [segments] : [])]
      return (await sql.query<{ passing: number }>(passingStatement(filtered), place))[0]?.passing ?? 0
    }
    const few = filtered && (await passing(this.#exactLimit + 1)) <= this.#exactLimit
    const found = few ? [] : await ask(sql, index, approximateStatement(index.dimensions, filtered), values)
    // What follows in the same transaction is planned as ever.
    await sql.query(AS_BEFORE, use.before)
    if (found.length >= limit || (!few && (await passing(limit)) <= found.length)) return found
    return exact()
  }

  #in<Result>(scope: VectorScope, work: (sql: TenantSql) => Promise<Result>): Promise<Result> {
    return typeof scope === 'string' ? this.#database.tenant(scope, work) : work(scope)
  }
}

async function ask(sql: TenantSql, index: VectorIndex, text: string, values: readonly unknown[]): Promise<VectorHit[]> {
  try {
    return await sql.query<VectorHit>(text, values)
  } catch (error) {
    // Points of other dimensions are in this generation: halfvec says so by a data exception.
    if (error instanceof WaggleError && error.details['sqlState'] === '22000') throw otherDimensions(index, null)
    throw error
  }
}

function otherDimensions({ collection, generation, dimensions }: VectorIndex, there: number | null): WaggleError {
  const others = there === null ? 'others' : String(there)
  return new WaggleError('WRONG_VECTOR', {
    reason: `The points of this generation have ${others} dimensions, not ${dimensions}.`,
    collection,
    generation,
  })
}

/** Whole millionths: three times as fast to write as decimal fractions, and to read no slower. */
function vectorText(vector: Float32Array): string {
  let text = '['
  for (const [at, value] of vector.entries()) {
    const millionths = Math.round(value * 1e6)
    text += `${at === 0 ? '' : ','}${millionths === 0 ? '0' : `${millionths}e-6`}`
  }
  return `${text}]`
}
