import { readdir } from 'node:fs/promises'

import { Client } from 'pg'

import { MIGRATIONS, readMigrations } from '#shared/db/migrations.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

suite('migrations', ({ test }) => {
  test('are all in the list, each with its way back, in order', async () => {
    const files = await readdir(new URL('../../shared/db/migrations/', import.meta.url))
    const expected = MIGRATIONS.flatMap((name) => [`${name}.down.sql`, `${name}.up.sql`])
    assert.equal(files.toSorted(), expected.toSorted())
    assert.equal([...MIGRATIONS], [...MIGRATIONS].toSorted())
    for (const { up, down } of await readMigrations()) assert.ok(up.trim() !== '' && down.trim() !== '')
  })
})

for (const server of servers) {
  suite(`migrations on ${server.name}`, ({ test, before, after, afterEach }) => {
    let opened: OpenedDatabase
    before(async () => {
      opened = await server.open({ migrated: false })
    })
    afterEach(() => opened.database.migrateDown(MIGRATIONS.length))
    after(() => opened.close())

    test('run once and then find nothing to do', async () => {
      const { database } = opened
      assert.equal(await database.migrationState(), { applied: [], missing: [...MIGRATIONS] })
      assert.equal(await database.migrate(), [...MIGRATIONS])
      assert.equal(await database.migrate(), [])
      assert.equal(await database.migrationState(), { applied: [...MIGRATIONS], missing: [] })
    })

    test('leave nothing when they are taken back, and the same when they run again', async () => {
      const { database, url } = opened
      const empty = await schemaOf(url)
      await database.migrate()
      const first = await schemaOf(url)
      assert.ok(first.length > empty.length + 100)
      assert.equal(await database.migrateDown(MIGRATIONS.length + 5), [...MIGRATIONS].toReversed())
      assert.equal(await schemaOf(url), empty)
      await database.migrate()
      assert.equal(await schemaOf(url), first)
    })

    test('go back one by one, each to what was before it', async () => {
      const { database, url } = opened
      await database.migrate()
      const last = MIGRATIONS.at(-1) ?? ''
      const whole = await schemaOf(url)
      assert.equal(await database.migrateDown(1), [last])
      assert.equal((await database.migrationState()).missing, [last])
      assert.equal(await database.migrate(), [last])
      assert.equal(await schemaOf(url), whole)
    })

    test('refuse a database that a newer program has migrated', async () => {
      const { database, url } = opened
      await database.migrate()
      await ask(url, `insert into schema_migrations (name) values ('9999-from-the-future')`)
      assert.is(await codeOf(database.migrate()), 'CONFIG')
      assert.is(await codeOf(database.migrateDown(1)), 'CONFIG')
      await ask(url, `delete from schema_migrations where name = '9999-from-the-future'`)
    })

    if (server.concurrent) {
      test('run once when eight processes start at the same moment', async () => {
        const others = await Promise.all(Array.from({ length: 7 }, () => opened.again()))
        const applied = await Promise.all([opened.database, ...others].map((database) => database.migrate()))
        assert.equal(applied.flat().toSorted(), [...MIGRATIONS])
        assert.equal((await opened.database.migrationState()).missing, [])
      })

      test('run in two databases of one server at the same moment, which share its roles', async () => {
        const [one, two] = await Promise.all([server.open({ migrated: false }), server.open({ migrated: false })])
        await Promise.all([one.database.migrate(), two.database.migrate()])
        await Promise.all([one.close(), two.close()])
      })
    }
  })
}

/** Everything that migrations make, as text: columns, constraints, indexes, policies, functions and grants. */
async function schemaOf(url: string): Promise<string[]> {
  const rows = await ask<{ line: string }>(
    url,
    `select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
       from information_schema.columns where table_schema = 'public'
     union all select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
       from pg_constraint where connamespace = 'public'::regnamespace
     union all select format('index %s', indexdef) from pg_indexes where schemaname = 'public'
     union all select format('policy %s %s %s %s %s %s', tablename, policyname, cmd, roles, qual, with_check) from pg_policies
     union all select format('table %s %s %s %s', oid::regclass, relrowsecurity, relforcerowsecurity, relacl)
       from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
     union all select format('function %s %s %s %s', oid::regprocedure, proowner::regrole, prosecdef, md5(prosrc))
       from pg_proc where pronamespace = 'public'::regnamespace
         and not exists (select from pg_depend d where d.objid = pg_proc.oid and d.deptype = 'e')
     order by 1`,
  )
  return rows.map((row) => row.line).filter((line) => !line.includes('schema_migrations'))
}

async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}
