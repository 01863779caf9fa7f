/**
 * The databases that storage tests run on: PGlite always, PostgreSQL when the run has one (WAGGLE_TEST_PG). Each `open`
 * gives a database of its own, empty or migrated.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Client } from 'pg'

import { openDatabase } from '#shared/db/database.ts'
import type { Database, DatabaseOptions } from '#shared/db/database.ts'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import { readMigrations } from '#shared/db/migrations.ts'
import { hold } from '#test/kit/leaks.ts'

export interface OpenedDatabase {
  readonly database: Database
  /** Of a user with every right. */
  readonly url: string
  /** Another process's view of the same database. */
  again(options?: Partial<DatabaseOptions>): Promise<Database>
  close(): Promise<void>
}

export interface DatabaseServer {
  readonly name: 'PGlite' | 'PostgreSQL'
  /** Several sessions at once: locks can be waited for. */
  readonly concurrent: boolean
  open(options?: Partial<DatabaseOptions> & { readonly migrated?: boolean }): Promise<OpenedDatabase>
}

const pglite: DatabaseServer = {
  name: 'PGlite',
  concurrent: false,
  async open({ migrated = true, ...options } = {}) {
    const lite = await startPglite(migrated ? { snapshot: await migratedSnapshot() } : {})
    return opened(lite.url, options, lite.stop)
  },
}

function postgres(superuser: string): DatabaseServer {
  return {
    name: 'PostgreSQL',
    concurrent: true,
    async open({ migrated = true, ...options } = {}) {
      const name = `waggle_${randomBytes(6).toString('hex')}`
      await ask(superuser, `create database ${name}`)
      const url = new URL(superuser)
      url.pathname = `/${name}`
      const result = await opened(url.href, options, () => ask(superuser, `drop database ${name} with (force)`))
      if (migrated) await result.database.migrate()
      return result
    },
  }
}

const given = process.env['WAGGLE_TEST_PG']
export const servers: readonly DatabaseServer[] =
  given === undefined || given === '' ? [pglite] : [pglite, postgres(given)]

async function opened(
  url: string,
  options: Partial<DatabaseOptions>,
  stop: () => Promise<void>,
): Promise<OpenedDatabase> {
  const release = hold('database', url.replace(/:[^:@/]*@/, '@'))
  const database = await openDatabase({ url, poolSize: 6, ...options })
  const others: Database[] = []
  return {
    database,
    url,
    async again(more = {}) {
      const other = await openDatabase({ url, poolSize: 4, ...options, ...more })
      others.push(other)
      return other
    },
    async close() {
      await Promise.all([database, ...others].map((each) => each.close()))
      await stop()
      release()
    },
  }
}

/** Made once for a set of migrations: initialising a database takes seconds, beginning from an archive does not. */
async function migratedSnapshot(): Promise<Uint8Array> {
  const migrations = createHash('sha256').update(JSON.stringify(await readMigrations()))
  const folder = process.env['WAGGLE_TEST_TMP'] ?? tmpdir()
  const file = join(folder, `waggle-pglite-${migrations.digest('hex').slice(0, 16)}.tar`)
  try {
    return await readFile(file)
  } catch {
    const lite = await startPglite()
    const database = await openDatabase({ url: lite.url })
    await database.migrate()
    await database.close()
    const archive = await lite.snapshot()
    await lite.stop()
    const own = `${file}.${process.pid}`
    await writeFile(own, archive)
    await rename(own, file)
    return archive
  }
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
