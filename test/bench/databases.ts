import { join } from 'node:path'

import { Client } from 'pg'

import { startPostgres } from '#deploy/provision/postgres.ts'
import { openDatabase } from '#shared/db/database.ts'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import { scratchFolder } from '#test/kit/scratch.ts'

export interface BenchDatabase {
  readonly url: string
  /** Of the postmaster; null where the database is a thread of this process. */
  readonly pid: number | null
  readonly version: string
  stop(): Promise<void>
}

/** A migrated PostgreSQL that survives a power cut, as in production; or why there is none here. */
export async function benchPostgres(
  say: (line: string) => void,
): Promise<BenchDatabase | { readonly problem: string }> {
  const started = await startPostgres({ durable: true, onProgress: say, ...runFolder() })
  if ('problem' in started) return started
  const { server } = started
  await migrate(server.url)
  return { url: server.url, pid: server.pid, version: `PostgreSQL ${server.version}`, stop: () => server.stop() }
}

/** PGlite as `npm start` has it: in a thread, its data in a folder. */
export async function benchPglite(): Promise<BenchDatabase> {
  const pglite = await startPglite({ dataDir: join(await scratchFolder('pglite'), 'data') })
  await migrate(pglite.url)
  return { url: pglite.url, pid: null, version: 'PGlite', stop: () => pglite.stop() }
}

/**
 * What autovacuum does about once a minute in a database that grows: tells the planner how large the tables are. Without it,
 * a figure of some seconds in a new database would now and then show plans that were made for empty tables.
 */
export async function refreshPlans(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

/** The folder of this run, which its own user may enter. */
function runFolder(): { readonly under?: string } {
  const under = process.env['WAGGLE_TEST_TMP']
  return under === undefined ? {} : { under }
}

async function migrate(url: string): Promise<void> {
  const database = await openDatabase({ url, poolSize: 1 })
  try {
    await database.migrate()
  } finally {
    await database.close()
  }
}
