/**
 * Brings the schema up or down. Each migration is one transaction, and each takes the same advisory lock in it, so that
 * several processes that start at once against one server take turns and the later ones find nothing to do. What was
 * applied is in the table schema_migrations.
 */
import type { Pool, PoolClient } from 'pg'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import { databaseError } from './database-error.ts'
import { readMigrations } from './migrations.ts'
import type { Migration } from './migrations.ts'

/** Any number, the same in every version of this program. */
const LOCK = 7_236_481_905
/** A migration may rebuild a table; connections of the pool have far shorter limits. */
const MIGRATION_TIMEOUT_MS = 600_000

/** Applies what is missing. Returns the names of what it applied. */
export async function migrateUp(pool: Pool): Promise<string[]> {
  const applied: string[] = []
  for (const migration of await readMigrations()) {
    const done = await locked(pool, async (client, names) => {
      if (names.includes(migration.name)) return false
      await run(client, migration, 'up')
      await client.query('insert into schema_migrations (name) values ($1)', [migration.name])
      return true
    })
    if (done) applied.push(migration.name)
  }
  return applied
}

/** Takes back the newest `steps` migrations. Returns the names of what it took back, newest first. */
export async function migrateDown(pool: Pool, steps: number): Promise<string[]> {
  const known = await readMigrations()
  const undone: string[] = []
  for (let step = 0; step < steps; step++) {
    const name = await locked(pool, async (client, names) => {
      const newest = names.toSorted().at(-1)
      if (newest === undefined) return null
      const migration = known.find((candidate) => candidate.name === newest)
      if (migration === undefined) throw unknownMigration(newest)
      await run(client, migration, 'down')
      await client.query('delete from schema_migrations where name = $1', [newest])
      return newest
    })
    if (name === null) break
    undone.push(name)
  }
  return undone
}

/** What is applied and what is missing, without changing anything. */
export async function migrationState(pool: Pool): Promise<{ applied: string[]; missing: string[] }> {
  const exists = await pool.query<{ found: boolean }>(`select to_regclass('schema_migrations') is not null as found`)
  const rows = exists.rows[0]?.found
    ? (await pool.query<{ name: string }>('select name from schema_migrations order by name')).rows
    : []
  const applied = rows.map((row) => row.name)
  const missing = (await readMigrations()).map(({ name }) => name).filter((name) => !applied.includes(name))
  return { applied, missing }
}

async function locked<Result>(
  pool: Pool,
  work: (client: PoolClient, applied: readonly string[]) => Promise<Result>,
): Promise<Result> {
  let client: PoolClient | undefined
  let broken: Error | undefined
  try {
    client = await pool.connect()
    await client.query('begin')
    await client.query(`set local statement_timeout = ${MIGRATION_TIMEOUT_MS}`)
    await client.query(`set local idle_in_transaction_session_timeout = ${MIGRATION_TIMEOUT_MS}`)
    await client.query(`select pg_advisory_xact_lock(${LOCK})`)
    await client.query(
      'create table if not exists schema_migrations (name text primary key, at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ name: string }>('select name from schema_migrations')
    const applied = rows.map((row) => row.name)
    const known = (await readMigrations()).map(({ name }) => name)
    const newer = applied.find((name) => !known.includes(name))
    if (newer !== undefined) throw unknownMigration(newer)
    const result = await work(client, applied)
    await client.query('commit')
    return result
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    throw databaseError(error)
  } finally {
    // A client that failed goes away with its transaction: nothing that it did can stay.
    client?.release(broken)
  }
}

async function run(client: PoolClient, migration: Migration, way: 'up' | 'down'): Promise<void> {
  try {
    await client.query(migration[way])
  } catch (error) {
    const cause = databaseError(error)
    if (cause.code === 'DATABASE_DOWN') throw cause
    throw new WaggleError('INTERNAL', { reason: `Migration ${migration.name} (${way}): ${cause.message}` }, { cause })
  }
}

function unknownMigration(name: string): WaggleError {
  return new WaggleError('CONFIG', {
    reason: `The database has the migration ${name}, which this program does not know.`,
  })
}
