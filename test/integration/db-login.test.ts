/** A server of one's own superuser is a laptop's; elsewhere the program logs in as an ordinary user. */
import { codeOf } from '#test/kit/code-of.ts'
import { randomBytes } from 'node:crypto'

import { Client } from 'pg'

import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { MIGRATIONS } from '#shared/db/migrations.ts'
import { apiKeyOwner, createApiKey } from '#shared/db/repositories/api-keys.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveUser } from '#shared/db/repositories/users.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { commandOf, outboxOf, stepOf } from '#test/contract/store.contract.ts'
import { assert, skip, suite } from '#test/kit/suite.ts'

suite('login as an ordinary user', ({ test, before, after }) => {
  const name = `waggle_login_${randomBytes(4).toString('hex')}`
  const superuser = process.env['WAGGLE_TEST_PG'] ?? ''
  let admin: Client | undefined
  let database: Database

  before(async () => {
    if (superuser === '') skip('no PostgreSQL')
    admin = new Client({ connectionString: superuser })
    await admin.connect()
    await admin.query(`create role ${name} login createrole password 'x'`)
    await admin.query(`create database ${name} owner ${name}`)
    const url = new URL(superuser)
    url.username = name
    url.password = 'x'
    url.pathname = `/${name}`
    database = await openDatabase({ url: url.href, poolSize: 3 })
    await withExtension(superuser, name)
  })
  after(async () => {
    await database?.close()
    await admin?.query(`drop database if exists ${name} with (force)`)
    await admin?.query(`drop owned by ${name}`)
    await admin?.query(`drop role if exists ${name}`)
    await admin?.end()
  })

  test('migrates, and does all that the runtime does', async () => {
    assert.equal(await database.migrate(), [...MIGRATIONS])
    const store = createStore(database)
    const epoch = await store.claim('agent', 0, 'node')
    const fence = { tenant: 'acme', kind: 'agent', partition: 0, epoch }
    const step = stepOf('a', { command: commandOf('c'), state: { version: 1, value: 1 }, outbox: outboxOf('o') })
    assert.equal(await store.commit(fence, [step]), { duplicates: [] })
    assert.is((await store.load('acme', 'agent', 'a'))?.value, 1)
    assert.is((await store.unsent('agent', 0)).length, 1)
    const transaction = await store.begin(fence)
    assert.equal(await transaction.sql.query('select current_user as role'), [{ role: 'waggle_app' }])
    assert.equal(await transaction.commit(stepOf('a')), { duplicates: [] })
  })

  test('is kept to one tenant like everybody, and finds API keys of all', async () => {
    const keys: string[] = []
    for (const tenant of ['acme', 'globex']) {
      await database.tenant(tenant, async (sql) => {
        await saveTenant(sql, { name: tenant })
        await saveUser(sql, { id: 'u', name: 'U' })
        keys.push((await createApiKey(sql, { userId: 'u', name: 'k' })).key)
      })
    }
    for (const tenant of ['acme', 'globex']) {
      const seen = await database.tenant(tenant, (sql) => sql.query('select tenant from users'))
      assert.equal(seen, [{ tenant }])
    }
    assert.is((await apiKeyOwner(database, keys[1] ?? ''))?.tenant, 'globex')
    assert.equal(
      (await database.tenants()).map((each) => each.tenant),
      ['acme', 'globex'],
    )
    const foreign = database.tenant('acme', (sql) =>
      sql.query(`insert into users (tenant, id, name) values ('globex', 'x', 'x')`),
    )
    assert.is(await codeOf(foreign), 'INTERNAL')
    const opened = await database.tenant('acme', (sql) =>
      sql.query(
        `insert into conversations (tenant, id, user_id, channel) values ('acme', 'c', 'u', 'web') returning id`,
      ),
    )
    assert.equal(opened, [{ id: 'c' }])
    assert.equal(await database.lookup('select id from conversations', []), [], 'the owner of the table is not exempt')
  })

  test('goes back to where it came from', async () => {
    assert.equal(await database.migrateDown(MIGRATIONS.length), [...MIGRATIONS].toReversed())
  })
})

/** What an administrator does once: pgvector's own scripts need one. */
async function withExtension(superuser: string, name: string): Promise<void> {
  const url = new URL(superuser)
  url.pathname = `/${name}`
  const admin = new Client({ connectionString: url.href })
  await admin.connect()
  await admin.query('create extension if not exists vector')
  await admin.end()
}
