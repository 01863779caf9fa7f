import { beginTransaction, openDatabase } from '#shared/db/database.ts'
import { databaseKinds, testDatabase } from '#test/kit/database.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Client } from 'pg'

/**
 * The fence reads the epoch in a statement after the one that took its lock (I1). On a server whose default is a snapshot
 * for the whole transaction, it would read what stood there before the takeover it has waited for.
 */
// The embedded server is ours and has no other default.
for (const kind of databaseKinds().filter((one) => one === 'postgres')) {
  suite(`a server whose default is another isolation, on ${kind}`, ({ test }) => {
    test('does not decide how our transactions see each other', async () => {
      const base = await testDatabase({ kind })
      const client = new Client({ connectionString: base.url })
      await client.connect()
      await client.query(
        `do $$ begin execute format('alter database %I set default_transaction_isolation = ''serializable''', current_database()); end $$`,
      )
      await client.end()
      const database = await openDatabase({ url: base.url })
      const [seen] = await database.tenant('acme', (sql) =>
        sql.query<{ level: string }>(`select current_setting('transaction_isolation') as level`),
      )
      assert.is(seen?.level, 'read committed')
      const transaction = await beginTransaction(database.runtimePool, 'acme', 'select 1', [])
      const [runtime] = await transaction.query<{ level: string }>(
        `select current_setting('transaction_isolation') as level`,
      )
      await transaction.rollback()
      assert.is(runtime?.level, 'read committed')
      await database.close()
      await base.drop()
    })
  })
}
