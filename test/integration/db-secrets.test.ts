import type { TenantSql } from '#shared/actor/store.ts'
import { masterKey } from '#shared/db/envelope.ts'
import { MAX_SECRET_BYTES, Secrets } from '#shared/db/secrets.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

const first = masterKey('m1', 'the first master key of the test')
const second = masterKey('m2', 'the second master key of the test')

for (const server of servers) {
  suite(`secrets on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    before(async () => {
      opened = await server.open()
      for (const tenant of ['acme', 'globex']) {
        await opened.database.tenant(tenant, (sql) =>
          sql.query('insert into tenants (tenant, name) values ($1, $1)', [tenant]),
        )
      }
    })
    after(() => opened.close())
    const as = <Result>(tenant: string, work: (sql: TenantSql) => Promise<Result>): Promise<Result> =>
      opened.database.tenant(tenant, work)

    test('come back as they were put, and are nowhere in the database in plain', async () => {
      const secrets = new Secrets([first])
      const text = 'sk-very-secret ünïcödé'
      await as('acme', (sql) => secrets.put(sql, 'crm', text))
      assert.is(await as('acme', (sql) => secrets.get(sql, 'crm')), text)
      assert.is(await as('acme', (sql) => secrets.get(sql, 'other')), null)
      assert.is(await as('globex', (sql) => secrets.get(sql, 'crm')), null)
      const [row] = await opened.database.tenant('acme', (sql) =>
        sql.query<{ everything: string }>(
          `select (select string_agg(sealed, ' ') from secrets) || (select string_agg(wrapped, ' ') from data_keys) as everything`,
        ),
      )
      assert.not.match(row?.everything ?? '', /very-secret/)
      assert.match(row?.everything ?? '', /^w1\.1\..*w1\.m1\./)
      await as('acme', (sql) => secrets.put(sql, 'crm', 'another'))
      assert.is(await as('acme', (sql) => secrets.get(sql, 'crm')), 'another')
      const listed = await as('acme', (sql) => secrets.list(sql))
      assert.equal(
        listed.map((each) => Object.keys(each)),
        [['id', 'createdAt', 'changedAt']],
      )
    })

    test('are bound to their tenant and their name', async () => {
      const secrets = new Secrets([first])
      const sealed = await as('acme', (sql) => secrets.seal(sql, 'field', 'x'))
      assert.is(await as('acme', (sql) => secrets.open(sql, 'field', sealed)), 'x')
      assert.is(await codeOf(as('acme', (sql) => secrets.open(sql, 'other field', sealed))), 'DECRYPT')
      await as('globex', (sql) => secrets.put(sql, 'own', 'y')) // so that it has a data key of the same number
      assert.is(await codeOf(as('globex', (sql) => secrets.open(sql, 'field', sealed))), 'DECRYPT')
      await as('acme', async (sql) => {
        await secrets.put(sql, 'a', 'of a')
        await sql.query(
          `insert into secrets (tenant, id, sealed) select tenant, 'b', sealed from secrets where id = 'a'`,
        )
      })
      assert.is(await codeOf(as('acme', (sql) => secrets.get(sql, 'b'))), 'DECRYPT', 'a copied row does not open')
      await as('acme', (sql) => secrets.remove(sql, 'b'))
    })

    test('cannot be opened without the master key they were put under', async () => {
      await as('acme', (sql) => new Secrets([first]).put(sql, 'x', 'y'))
      assert.is(await codeOf(as('acme', (sql) => new Secrets([second]).get(sql, 'x'))), 'DECRYPT')
      const impostor = masterKey('m1', 'another text under the same name')
      assert.is(await codeOf(as('acme', (sql) => new Secrets([impostor]).get(sql, 'x'))), 'DECRYPT')
    })

    test('survive a new master key, after which the former one is not needed', async () => {
      await as('acme', (sql) => new Secrets([first]).put(sql, 'kept', 'value'))
      const both = new Secrets([second, first])
      assert.is(await as('acme', (sql) => both.get(sql, 'kept')), 'value')
      assert.ok((await as('acme', (sql) => both.rewrap(sql))) >= 1)
      assert.is(await as('acme', (sql) => both.rewrap(sql)), 0)
      assert.is(await as('acme', (sql) => new Secrets([second]).get(sql, 'kept')), 'value')
      assert.is(await codeOf(as('acme', (sql) => new Secrets([first]).get(sql, 'kept'))), 'DECRYPT')
    })

    test('survive a new data key, under which they are sealed anew', async () => {
      const secrets = new Secrets([second, first])
      await as('acme', (sql) => secrets.put(sql, 'turning', 'value'))
      const column = await as('acme', (sql) => secrets.seal(sql, 'a column elsewhere', 'z'))
      await as('acme', (sql) => secrets.rotate(sql))
      const [row] = await opened.database.tenant('acme', (sql) =>
        sql.query<{ sealed: string }>(`select sealed from secrets where id = 'turning'`),
      )
      assert.match(row?.sealed ?? '', /^w1\.2\./)
      assert.is(await as('acme', (sql) => secrets.get(sql, 'turning')), 'value')
      assert.is(await as('acme', (sql) => secrets.open(sql, 'a column elsewhere', column)), 'z')
    })

    test('make one data key when many first secrets are put at once', async () => {
      await opened.database.tenant('initech', (sql) =>
        sql.query(`insert into tenants (tenant, name) values ('initech', 'Initech')`),
      )
      const secrets = new Secrets([first])
      await Promise.all(Array.from({ length: 6 }, (_, n) => as('initech', (sql) => secrets.put(sql, `s${n}`, `${n}`))))
      for (let n = 0; n < 6; n++) assert.is(await as('initech', (sql) => secrets.get(sql, `s${n}`)), `${n}`)
      const keys = await opened.database.tenant('initech', (sql) => sql.query('select id from data_keys'))
      assert.equal(keys, [{ id: 1 }])
    })

    test('leave no key behind that was rolled back', async () => {
      await opened.database.tenant('hooli', (sql) =>
        sql.query(`insert into tenants (tenant, name) values ('hooli', 'Hooli')`),
      )
      const secrets = new Secrets([first])
      const failed = as('hooli', async (sql) => {
        await secrets.put(sql, 'a', 'lost')
        throw new Error('roll back')
      }).catch(() => {})
      await failed
      await as('hooli', (sql) => secrets.put(sql, 'a', 'kept'))
      assert.is(await as('hooli', (sql) => new Secrets([first]).get(sql, 'a')), 'kept')
    })

    test('refuse a text that is too long', async () => {
      const long = 'x'.repeat(MAX_SECRET_BYTES + 1)
      assert.is(await codeOf(as('acme', (sql) => new Secrets([first]).put(sql, 'long', long))), 'TOO_LARGE')
    })

    test('can be taken away', async () => {
      const secrets = new Secrets([second, first])
      await as('acme', (sql) => secrets.put(sql, 'gone', 'x'))
      assert.is(await as('acme', (sql) => secrets.remove(sql, 'gone')), true)
      assert.is(await as('acme', (sql) => secrets.remove(sql, 'gone')), false)
      assert.is(await as('acme', (sql) => secrets.get(sql, 'gone')), null)
    })
  })
}
