import { Client } from 'pg'

import { databaseKinds, testDatabase } from './database.ts'
import { assert, suite } from './suite.ts'

async function ask<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

const MIGRATED = `SELECT to_regclass('schema_migrations') IS NOT NULL AS yes`

for (const kind of databaseKinds()) {
  suite(`database for a test, ${kind}`, ({ test }) => {
    test('is migrated, and apart from any other', async () => {
      const [one, other] = await Promise.all([testDatabase({ kind }), testDatabase({ kind })])
      assert.equal(await ask(one.url, MIGRATED), [{ yes: true }])
      await ask(one.url, 'CREATE TABLE only_here (id int)')
      assert.equal(await ask(other.url, `SELECT to_regclass('only_here') IS NULL AS yes`), [{ yes: true }])
      await Promise.all([one.drop(), other.drop()])
    })

    test('is empty when asked for, and gone after drop', async () => {
      const database = await testDatabase({ kind, migrated: false })
      assert.equal(await ask(database.url, MIGRATED), [{ yes: false }])
      await database.drop()
      await database.drop()
      const answer = await ask(database.url, 'SELECT 1').then(
        () => 'it is there',
        () => 'it is gone',
      )
      assert.is(answer, 'it is gone')
    })

    test('has pgvector', async () => {
      const database = await testDatabase({ kind })
      await ask(database.url, 'CREATE EXTENSION IF NOT EXISTS vector')
      assert.equal(await ask(database.url, `SELECT '[1,2]'::vector <-> '[1,5]'::vector AS d`), [{ d: 3 }])
      await database.drop()
    })
  })
}
