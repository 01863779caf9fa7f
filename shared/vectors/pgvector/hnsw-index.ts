/**
 * The approximate index of one generation: partial, so that no tenant's vectors cost another recall or time, and built
 * concurrently, so that nobody's ingest waits for it (a plain build locks the table for every tenant while it lasts).
 *
 * absent     searched exactly
 * building   by some process; searched exactly meanwhile
 * failed     a build was broken off and left an invalid index: it is removed, and built again by the next `ensure`
 * built      used by PgVectorStore.nearest
 */
import { createHash } from 'node:crypto'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Database } from '#shared/db/database.ts'

import type { VectorIndex } from '../vector-store.ts'

/** pgvector's defaults, here by name: links of a point, and candidates while building. */
const LINKS = 16
const BUILD_CANDIDATES = 64
export const BUILD_TIMEOUT_MS = 3_600_000

type State = 'absent' | 'building' | 'failed' | 'built'

/** Under 63 characters whatever the tenant and the collection are called. */
export function indexName(tenant: string, { collection, generation, dimensions }: VectorIndex): string {
  const place = JSON.stringify([tenant, collection, generation, dimensions])
  return `chunk_vectors_hnsw_${createHash('sha256').update(place).digest('hex').slice(0, 32)}`
}

export async function ensureHnsw(database: Database, tenant: string, index: VectorIndex): Promise<boolean> {
  const name = indexName(tenant, index)
  const state = await stateOf(database, name)
  if (state === 'built') return true
  if (state === 'building') return false
  if (state === 'failed') await dropHnsw(database, tenant, index)
  await database.maintain(await buildStatement(database, tenant, index), BUILD_TIMEOUT_MS)
  return (await stateOf(database, name)) === 'built'
}

export async function hasHnsw(database: Database, tenant: string, index: VectorIndex): Promise<boolean> {
  return (await stateOf(database, indexName(tenant, index))) === 'built'
}

export async function dropHnsw(database: Database, tenant: string, index: VectorIndex): Promise<void> {
  const name = indexName(tenant, index)
  if ((await stateOf(database, name)) === 'absent') return
  await database.maintain(await textOf(database, DROP, [name]), BUILD_TIMEOUT_MS)
}

/** The names stand in the statement as literals, for an index has no parameters: the server itself quotes them. */
export function buildStatement(database: Database, tenant: string, index: VectorIndex): Promise<string> {
  const { collection, generation, dimensions } = index
  const values = [indexName(tenant, index), dimensions, LINKS, BUILD_CANDIDATES, tenant, collection, generation]
  return textOf(database, BUILD, values)
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

async function textOf(database: Database, text: string, values: readonly unknown[]): Promise<string> {
  const [row] = await database.lookup<{ text: string }>(text, values)
  if (row === undefined) throw new WaggleError('INTERNAL', { reason: 'The server made no statement.' })
  return row.text
}
