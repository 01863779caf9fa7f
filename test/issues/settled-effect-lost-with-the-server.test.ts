import { startPostgres } from '#deploy/provision/postgres.ts'
import type { PostgresServer } from '#deploy/provision/postgres.ts'
import { Checkpoints } from '#shared/db/checkpoints.ts'
import { openDatabase } from '#shared/db/database.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { databaseKinds } from '#test/kit/database.ts'
import { assert, suite } from '#test/kit/suite.ts'

/**
 * A run goes on, in memory, on what it was told is stored, and nothing tells it that a server was killed and came back
 * between two of its statements. Outcomes of effects and checkpoints were answered before they were on disk: then an
 * effect that the log said had returned stood as begun, and a later attempt called it in doubt, unheard.
 */
if (databaseKinds().includes('postgres')) {
  suite('a server that is killed right after its answer', ({ test }) => {
    test('still knows the outcome of an effect, and the checkpoint before it', async () => {
      const started = await startPostgres({ under: process.env['WAGGLE_TEST_TMP']!, config: 'synchronous_commit = on' })
      if ('problem' in started) throw new Error(started.problem)
      const { server } = started
      const database = await openDatabase({ url: server.url })
      try {
        await database.migrate()
        await database.tenant('acme', (sql) =>
          sql.query(`insert into tenants (tenant, name) values ('acme', 'Acme') returning tenant`),
        )
        const store = createStore(database)
        const checkpoints = new Checkpoints(database)
        const place = { thread: 't', ns: '' }
        const fence = { tenant: 'acme', kind: 'agent', partition: 0, epoch: await store.claim('agent', 0, 'node-1') }
        const effect = { id: 'pay', run: 'run/1', tool: 'pay', argsHash: 'x', repeatable: false }
        // Each alone, since a commit takes with it to the disk whatever came before.
        for (const id of ['one', 'two', 'three']) {
          await store.intend(fence, { ...effect, id })
          await store.settle(fence, id, { status: 'done', result: 'paid' })
          await killed(server)
          const known = await again(() => store.intend(fence, { ...effect, id }))
          assert.equal([known.fresh, known.status], [false, 'done'], id)
          await checkpoints.write(fence, {
            ...NOTHING,
            checkpoints: [{ ...place, id, parentId: null, body: new Uint8Array(1), metadata: '{}', versions: {} }],
          })
          await killed(server)
          assert.is((await again(() => checkpoints.read('acme', place, id)))?.id, id)
        }
      } finally {
        await database.close()
        await server.stop()
      }
    })
  })
}

const NOTHING = { blobs: [], writes: [], dropped: [], droppedBlobs: [] }
const TRIES = 5

async function killed(server: PostgresServer): Promise<void> {
  await server.kill()
  await server.restart()
}

/** The pool finds out about its dead connections one by one. */
async function again<Value>(work: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}
