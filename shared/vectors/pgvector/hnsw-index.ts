/**
 * The approximate index of one generation: partial, so that no tenant's vectors cost another recall or time, and built
 * concurrently, so that nobody's ingest waits for it (a plain build locks the table for every tenant while it lasts).
 *
 * absent     searched exactly
 * building   by some process; searched exactly meanwhile
 * failed     a build was broken off and left an invalid index: it is removed and built again
 * built      used by PgVectorStore.nearest
 *
 * In one database one build runs at a time (Database.maintain); whoever wants another waits for its turn here.
 */
import { createHash } from 'node:crypto'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import { delay } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Database } from '#shared/db/database.ts'

import type { VectorIndex } from '../vector-store.ts'

/** pgvector's defaults, here by name: links of a point, and candidates while building. */
const LINKS = 16
const BUILD_CANDIDATES = 64
export const BUILD_TIMEOUT_MS = 3_600_000
/** How often whoever waits for its turn looks again. */
const TURN_MS = 250

type State = 'absent' | 'building' | 'failed' | 'built'

/** Under 63 characters whatever the tenant and the collection are called. */
export function indexName(tenant: string, { collection, generation, dimensions }: VectorIndex): string {
  const place = JSON.stringify([tenant, collection, generation, dimensions])
  return `chunk_vectors_hnsw_${createHash('sha256').update(place).digest('hex').slice(0, 32)}`
}

/** Resolves when it is built, by whomever. */
export async function ensureHnsw(database: Database, tenant: string, index: VectorIndex, clock: Clock): Promise<void> {
  const name = indexName(tenant, index)
  for (;;) {
    const state = await stateOf(database, name)
    if (state === 'built') return
    if (state === 'failed') await dropHnsw(database, tenant, index, clock)
    if (state !== 'building') {
      await database.maintain(await buildStatement(database, tenant, index), BUILD_TIMEOUT_MS)
      if ((await stateOf(database, name)) === 'built') return
    }
    await delay(clock, TURN_MS)
  }
}

export async function hasHnsw(database: Database, tenant: string, index: VectorIndex): Promise<boolean> {
  return (await stateOf(database, indexName(tenant, index))) === 'built'
}

export async function dropHnsw(database: Database, tenant: string, index: VectorIndex, clock: Clock): Promise<void> {
  const name = indexName(tenant, index)
  while ((await stateOf(database, name)) !== 'absent') {
    const [statement] = await database.lookup<{ text: string }>(DROP, [name])
    if (statement !== undefined && (await database.maintain(statement.text, BUILD_TIMEOUT_MS))) return
    await delay(clock, TURN_MS)
  }
}

/** The names stand in the statement as literals, for an index has no parameters: the server itself quotes them. */
export async function buildStatement(database: Database, tenant: string, index: VectorIndex): Promise<string> {
  const { collection, generation, dimensions } = index
  const values = [indexName(tenant, index), dimensions, LINKS, BUILD_CANDIDATES, tenant, collection, generation]
  const [row] = await database.lookup<{ text: string }>(BUILD, values)
  if (row === undefined) throw new WaggleError('INTERNAL', { reason: 'The server made no statement.' })
  return row.text
}

const BUILD = `select format('create index concurrently if not exists %I on chunk_vectors
  using hnsw ((vector::halfvec(%s)) halfvec_ip_ops) with (m = %s, ef_construction = %s)
  where tenant = %L and collection = %L and generation = %s',
  $1::text, $2::integer, $3::integer, $4::integer, $5::text, $6::text, $7::integer) as text`

const DROP = `select format('drop index concurrently if exists %I', $1::text) as text`

const STATE = `select i.indisvalid as valid,
    exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as building
  from pg_index i where i.indexrelid = to_regclass($1)`

async function stateOf(database: Database, name: string): Promise<State> {
  const [row] = await database.lookup<{ valid: boolean; building: boolean }>(STATE, [name])
  if (row === undefined) return 'absent'
  if (row.valid) return 'built'
  return row.building ? 'building' : 'failed'
}
