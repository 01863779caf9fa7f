/**
 * A database of its own for a test, migrated or empty: on PGlite always, on PostgreSQL when the run has one.
 *
 * Both begin from something made once for a set of migrations: PGlite from an archive kept in `.cache`, PostgreSQL from a
 * template database, which processes that need it at once make under one lock. A template is bound to its migrations by
 * its name, so that a changed migration makes another one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { Client } from 'pg'

import { openDatabase } from '#shared/db/database.ts'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import { readMigrations } from '#shared/db/migrations.ts'

import { hold } from './leaks.ts'

const ARCHIVES = join(import.meta.dirname, '..', '..', '.cache', 'pglite')
/** Any number of ours; on the server, not in a database. */
const TEMPLATE_LOCK = 5_821_907_446

export type DatabaseKind = 'pglite' | 'postgres'

export interface TestDatabase {
  readonly kind: DatabaseKind
  /** Of a user with every right. */
  readonly url: string
  /** Ends what is connected and removes it. Harmless twice. */
  drop(): Promise<void>
}

export interface TestDatabaseOptions {
  /** PostgreSQL where there is one, if not given: it starts faster and serves several sessions at once. */
  readonly kind?: DatabaseKind
  /** False: without any table. */
  readonly migrated?: boolean
}

/** The kinds this run has: `for (const kind of databaseKinds())` makes a suite per kind. */
export function databaseKinds(): DatabaseKind[] {
  return superuserUrl() === undefined ? ['pglite'] : ['pglite', 'postgres']
}

export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const superuser = superuserUrl()
  const kind = options.kind ?? (superuser === undefined ? 'pglite' : 'postgres')
  const migrated = options.migrated ?? true
  if (kind === 'pglite') return pglite(migrated)
  if (superuser === undefined) throw new Error('this run has no PostgreSQL: ask databaseKinds() first')
  return postgres(superuser, migrated)
}

async function pglite(migrated: boolean): Promise<TestDatabase> {
  const server = await startPglite(migrated ? { snapshot: await migratedArchive() } : {})
  return dropOnce('pglite', server.url, () => server.stop())
}

async function postgres(superuser: string, migrated: boolean): Promise<TestDatabase> {
  const name = `waggle_test_${randomBytes(6).toString('hex')}`
  await asSuperuser(superuser, async (client) => {
    const template = migrated ? await migratedTemplate(client, superuser) : 'template1'
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  })
  const drop = () =>
    asSuperuser(superuser, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    })
  return dropOnce('postgres', urlOf(superuser, name), drop)
}

function dropOnce(kind: DatabaseKind, url: string, remove: () => Promise<void>): TestDatabase {
  const release = hold('database', `${kind} ${new URL(url).host}${new URL(url).pathname}`)
  let dropped: Promise<void> | undefined
  const drop = (): Promise<void> => {
    dropped ??= remove().then(release)
    return dropped
  }
  return { kind, url, drop }
}

/** Initialising a database in memory takes seconds; beginning from an archive a fraction of one. */
async function migratedArchive(): Promise<Uint8Array> {
  const file = join(ARCHIVES, `${await fingerprint()}.tar`)
  const kept = await readFile(file).catch(() => undefined)
  if (kept !== undefined) return kept
  const server = await startPglite()
  try {
    await migrate(server.url)
    const archive = await server.snapshot()
    await mkdir(ARCHIVES, { recursive: true })
    const staged = `${file}.${process.pid}`
    await writeFile(staged, archive)
    await rename(staged, file)
    return archive
  } finally {
    await server.stop()
  }
}

/** A template may have no session while it is copied, so it is made under another name and renamed when it is done. */
async function migratedTemplate(client: Client, superuser: string): Promise<string> {
  const name = `waggle_template_${await fingerprint()}`
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK])
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
    if (rowCount !== 0) return name
    const staged = `${name}_staged`
    await client.query(`DROP DATABASE IF EXISTS ${staged} WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${staged}`)
    await migrate(urlOf(superuser, staged))
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, [staged])
    await client.query(`ALTER DATABASE ${staged} RENAME TO ${name}`)
    return name
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK])
  }
}

async function migrate(url: string): Promise<void> {
  const database = await openDatabase({ url, poolSize: 1 })
  try {
    await database.migrate()
  } finally {
    await database.close()
  }
}

async function fingerprint(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const hash = createHash('sha256').update(JSON.stringify(await readMigrations()))
  return hash
    .update((manifest.match(/"@electric-sql\/.*/g) ?? []).join())
    .digest('hex')
    .slice(0, 16)
}

async function asSuperuser(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(superuser: string, name: string): string {
  const url = new URL(superuser)
  url.pathname = `/${name}`
  return url.href
}

function superuserUrl(): string | undefined {
  const given = process.env['WAGGLE_TEST_PG']
  return given === undefined || given === '' ? undefined : given
}
