/** What the store does beyond its port's contract: under locks, failures and the database's own opinion of values. */
import { Client } from 'pg'

import type { Fence, Step, Store } from '#shared/actor/store.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { entityManager } from '#shared/db/orm.ts'
import { UserEntity } from '#shared/db/entities/user.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { newId } from '#shared/lib/ids.ts'
import { commandOf, outboxOf, stepOf } from '#test/contract/store.contract.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { openLine } from './db-line.ts'
import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

for (const server of servers) {
  suite(`store beyond its contract on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    let store: Store
    before(async () => {
      opened = await server.open()
      store = createStore(opened.database)
      await opened.database.tenant('acme', async (sql) => {
        await sql.query(`insert into tenants (tenant, name) values ('acme', 'Acme')`)
      })
    })
    after(() => opened.close())

    const hold = async (): Promise<Fence> => {
      const kind = `kind-${newId()}`
      return { tenant: 'acme', kind, partition: 0, epoch: await store.claim(kind, 0, 'node-1') }
    }

    test('applies a batch as a whole: one step that the database refuses takes the others with it', async () => {
      const fence = await hold()
      const taken = outboxOf(newId())
      assert.equal(await store.commit(fence, [stepOf('z', { outbox: taken })]), { duplicates: [] })
      const batch = [
        stepOf('a', { command: commandOf('c1'), state: { version: 1, value: 'a' }, outbox: outboxOf(newId()) }),
        stepOf('b', { command: commandOf('c2'), state: { version: 1, value: 'b' }, outbox: taken }),
      ]
      assert.is(await codeOf(store.commit(fence, batch)), 'CONFLICT')
      assert.is(await store.load('acme', fence.kind, 'a'), null)
      assert.is((await store.processed('acme', fence.kind, 'a', ['c1'])).size, 0)
      assert.is((await store.unsent(fence.kind, 0)).length, 1)
    })

    test('writes every part of a full step', async () => {
      const fence = await hold()
      const letter = {
        id: newId(),
        tenant: 'acme',
        subject: 's',
        payload: new Uint8Array([1]),
        code: 'CRASHED',
        message: 'm',
        attempts: 2,
        history: [{ code: 'CRASHED', message: 'm', at: 1 }],
        trace: 't',
        at: 5,
      }
      const step = stepOf('a', { command: commandOf('c1'), deadLetter: letter })
      assert.equal(await store.commit(fence, [step]), { duplicates: [] })
      const rows = await opened.database.tenant('acme', (sql) =>
        sql.query(
          `select id, subject, payload, code, attempts, history, trace, at, state from dead_letters where id = $1`,
          [letter.id],
        ),
      )
      const { tenant: _, message: __, ...expected } = letter
      assert.equal(rows, [{ ...expected, payload: Buffer.from([1]), state: 'buried' }])
    })

    test('gives a handler its tenant and no more, and commits its rows with its step', async () => {
      const fence = await hold()
      const transaction = await store.begin(fence)
      const [who] = await transaction.sql.query('select current_user as role, current_tenant() as tenant')
      assert.equal(who, { role: 'waggle_app', tenant: 'acme' })
      const id = newId()
      await transaction.sql.query(
        `insert into conversations (tenant, id, user_id, channel) values ('acme', $1, 'u', 'web')`,
        [id],
      )
      assert.equal(await transaction.commit(stepOf('a', { state: { version: 1, value: 1 } })), { duplicates: [] })
      const found = await opened.database.tenant('acme', (sql) =>
        sql.query('select id from conversations where id = $1', [id]),
      )
      assert.equal(found, [{ id }])
      assert.is((await store.load('acme', fence.kind, 'a'))?.value, 1)
    })

    test('takes a handler’s rows back with a duplicate command, an error, or a rollback', async () => {
      const fence = await hold()
      await store.commit(fence, [stepOf('a', { command: commandOf('c1') })])
      const id = newId()
      const insert = `insert into conversations (tenant, id, user_id, channel) values ('acme', $1, 'u', 'web')`

      const repeated = await store.begin(fence)
      await repeated.sql.query(insert, [id])
      assert.equal(await repeated.commit(stepOf('a', { command: commandOf('c1') })), { duplicates: ['c1'] })

      const broken = await store.begin(fence)
      await broken.sql.query(insert, [id])
      assert.is(await codeOf(broken.sql.query('select 1 / 0')), 'INTERNAL')
      // The handler has swallowed the error; its work is gone all the same and must not be reported as done.
      assert.is(await codeOf(broken.commit(stepOf('a', { command: commandOf('c2') }))), 'INTERNAL')

      const left = await store.begin(fence)
      await left.sql.query(insert, [id])
      await left.rollback()
      assert.is(await codeOf(left.sql.query('select 1')), 'INTERNAL', 'it has ended')

      const found = await opened.database.tenant('acme', (sql) =>
        sql.query('select id from conversations where id = $1', [id]),
      )
      assert.equal(found, [])
      assert.is((await store.processed('acme', fence.kind, 'a', ['c2'])).size, 0)
    })

    test('says that a tenant transaction whose error was swallowed did not happen', async () => {
      const swallowed = opened.database.tenant('acme', async (sql) => {
        await sql.query('select 1 / 0').catch(() => {})
      })
      assert.is(await codeOf(swallowed), 'INTERNAL')
    })

    test('counts statements that are under way, those of MikroORM too', async () => {
      const fence = await hold()
      const transaction = await store.begin(fence)
      assert.is(transaction.pending, 0)
      const query = transaction.sql.query('select 1')
      assert.is(transaction.pending, 1)
      await query
      assert.is(transaction.pending, 0)
      const manager = entityManager(transaction.sql)
      const find = manager.find(UserEntity, {})
      await new Promise((resolve) => setImmediate(resolve))
      assert.is(transaction.pending, 1)
      await find
      assert.is(transaction.pending, 0)
      await transaction.rollback()
    })

    test('binds MikroORM to the transaction: it sees its rows, is under its tenant, and commits nothing itself', async () => {
      const id = newId()
      await opened.database
        .tenant('acme', async (sql) => {
          await sql.query(`insert into users (tenant, id, name) values ('acme', $1, 'raw')`, [id])
          const manager = entityManager(sql)
          const user = await manager.findOneOrFail(UserEntity, { id })
          user.name = `O'Neil ? $1 \\ "quoted"`
          user.roles = ['admin', 'a,b"c']
          await manager.flush()
          const rows = await sql.query('select name, roles from users where id = $1', [id])
          assert.equal(rows, [{ name: `O'Neil ? $1 \\ "quoted"`, roles: ['admin', 'a,b"c'] }])
          assert.is(await codeOf(manager.transactional(async () => {})), 'INTERNAL', 'no transactions inside')
          manager.create(UserEntity, { tenant: 'globex', id, name: 'foreign' })
          assert.is(await codeOf(manager.flush()), 'INTERNAL', 'a row of another tenant is refused')
          throw new Error('roll back')
        })
        .catch((error: unknown) => assert.is(coded(error).details['reason'], 'roll back'))
      const rows = await opened.database.tenant('acme', (sql) => sql.query('select from users where id = $1', [id]))
      assert.is(rows.length, 0)
    })

    test('stores an actor’s last value only, however many times it commits', async () => {
      const fence = await hold()
      for (let n = 1; n <= 20; n++) await store.commit(fence, [stepOf('a', { state: { version: 1, value: n } })])
      const client = new Client({ connectionString: opened.url })
      await client.connect()
      const { rows } = await client.query('select count(*)::int as rows from actor_state where kind = $1', [fence.kind])
      await client.end()
      assert.equal(rows, [{ rows: 1 }])
    })

    test('does not lose a step when many nodes claim one partition while others commit', async () => {
      const kind = `kind-${newId()}`
      const other = createStore(await opened.again())
      let current = await store.claim(kind, 0, 'node')
      const done = new Map<number, number>()
      let stale = 0
      let claims = 0
      const commits = Array.from({ length: 6 }, async (_, lane) => {
        for (let n = 0; n < 40; n++) {
          const epoch = current
          const step = stepOf(`a${lane}`, { outbox: outboxOf(newId()) })
          const answer = await codeOf(store.commit({ tenant: 'acme', kind, partition: 0, epoch }, [step]))
          if (answer === 'no error') done.set(epoch, (done.get(epoch) ?? 0) + 1)
          else if (answer === 'STALE_EPOCH') stale += 1
          else throw new Error(answer)
        }
      })
      const rowsOf = async (epoch: number): Promise<number> =>
        (await other.unsent(kind, 0)).filter((row) => row.epoch === epoch).length
      const seenAtClaim = new Map<number, number>()
      const claiming = (async () => {
        for (let n = 0; n < 15; n++) {
          const before = current
          current = await other.claim(kind, 0, `node-${n}`)
          claims += 1
          // Whatever the old epoch will ever have written is there now: the takeover waited, and no later commit passes.
          seenAtClaim.set(before, await rowsOf(before))
        }
      })()
      await Promise.all([...commits, claiming])
      assert.is(claims, 15)
      let total = 0
      for (const [epoch, count] of done) {
        total += count
        assert.is(await rowsOf(epoch), count, `epoch ${epoch}`)
        if (seenAtClaim.has(epoch)) assert.is(seenAtClaim.get(epoch), count, `nothing of epoch ${epoch} after its end`)
      }
      assert.is(total + stale, 240)
    })

    test('reports a database that is away as DATABASE_DOWN, and goes on when it is back', async () => {
      const fence = await hold()
      const line = await openLine(opened.url)
      const distant = createStore(await opened.again({ url: line.url, poolSize: 2 }))
      assert.equal(await distant.commit(fence, [stepOf('a')]), { duplicates: [] })
      const transaction = await distant.begin(fence)
      await line.cut()
      assert.is(await codeOf(transaction.commit(stepOf('a'))), 'DATABASE_DOWN')
      assert.is(await codeOf(distant.commit(fence, [stepOf('a')])), 'DATABASE_DOWN')
      assert.is(await codeOf(distant.begin(fence)), 'DATABASE_DOWN')
      assert.is(await codeOf(distant.claim(fence.kind, 0, 'x')), 'DATABASE_DOWN')
      assert.is(await codeOf(distant.load('acme', fence.kind, 'a')), 'DATABASE_DOWN')
      await line.mend()
      assert.equal(await distant.commit(fence, [stepOf('a', { state: { version: 1, value: 'back' } })]), {
        duplicates: [],
      })
      assert.is((await store.load('acme', fence.kind, 'a'))?.value, 'back')
      await line.close()
    })

    test('refuses to be used after it was closed, and closes twice without harm', async () => {
      const database = await opened.again()
      await Promise.all([database.close(), database.close()])
      assert.is(await codeOf(createStore(database).holders()), 'DATABASE_DOWN')
      assert.is(await codeOf(database.tenant('acme', async () => {})), 'DATABASE_DOWN')
    })

    test('frees a partition from a holder that froze in a transaction', async () => {
      const frozen = createStore(await opened.again({ leaseMs: 1_000 }))
      const fence = await hold()
      const transaction = await frozen.begin(fence)
      await transaction.sql.query('select 1')
      const started = performance.now()
      assert.is(await store.claim(fence.kind, 0, 'node-2'), 2)
      const waited = performance.now() - started
      assert.ok(waited < 3_000, `the takeover waited ${waited} ms`)
      assert.is(await codeOf(transaction.commit(stepOf('a'))), 'DATABASE_DOWN')
      assert.is(await store.load('acme', fence.kind, 'a'), null)
    })

    if (server.concurrent) {
      test('says DATABASE_DOWN when the connection dies under a commit, and the commands tell what became of it', async () => {
        const fence = await hold()
        const victim = await opened.again({ name: 'victim', poolSize: 1 })
        const unlucky = createStore(victim)
        await unlucky.load('acme', fence.kind, 'a')
        const killer = new Client({ connectionString: opened.url })
        await killer.connect()
        const kill = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim runtime'`
        const answers: string[] = []
        const lost: Step[] = []
        for (let n = 0; n < 30; n++) {
          const step = stepOf('a', { command: commandOf(`c${n}`), state: { version: 1, value: n } })
          const [answer] = await Promise.all([codeOf(unlucky.commit(fence, [step])), killer.query(kill)])
          answers.push(answer)
          if (answer !== 'no error') lost.push(step)
        }
        await killer.end()
        assert.equal(
          [...new Set(answers)].filter((answer) => answer !== 'no error' && answer !== 'DATABASE_DOWN'),
          [],
        )
        assert.ok(answers.includes('DATABASE_DOWN'), 'no commit was hit')
        const ids = lost.map((step) => step.command?.id ?? '')
        const processed = await store.processed('acme', fence.kind, 'a', ids)
        for (const step of lost) {
          const expected = processed.has(step.command?.id ?? '') ? [step.command?.id] : []
          assert.equal(await store.commit(fence, [step]), { duplicates: expected })
        }
      })

      test('keeps its connection when a statement is refused', async () => {
        const database = await opened.again({ poolSize: 1 })
        const single = createStore(database)
        const fence = await hold()
        const process = async (): Promise<unknown> =>
          (await database.runtimePool.query('select pg_backend_pid() as pid')).rows[0]
        const before = await process()
        await single.commit(fence, [stepOf('a', { command: commandOf('c1') })])
        await single.commit(fence, [stepOf('a', { command: commandOf('c1') })])
        await codeOf(single.commit({ ...fence, epoch: 99 }, [stepOf('a')]))
        await codeOf(single.begin({ ...fence, epoch: 99 }))
        assert.equal(await process(), before)
      })

      test('holds a takeover up for as long as a transaction is open, and no longer', async () => {
        const fence = await hold()
        const transaction = await store.begin(fence)
        let claimed = 0
        const claim = createStore(await opened.again())
          .claim(fence.kind, 0, 'node-2')
          .then((epoch) => {
            claimed = epoch
          })
        for (let round = 0; round < 20; round++) await store.load('acme', fence.kind, 'a')
        assert.is(claimed, 0)
        await transaction.rollback()
        await claim
        assert.is(claimed, 2)
      })

      test('lets commits of one partition go on side by side, and a takeover of another not wait', async () => {
        const fence = await hold()
        const one = await store.begin(fence)
        const two = await store.begin(fence)
        assert.equal(await two.commit(stepOf('b')), { duplicates: [] })
        assert.equal(await store.commit(fence, [stepOf('c')]), { duplicates: [] })
        assert.is(await store.claim(fence.kind, 1, 'node'), 1)
        await one.rollback()
      })
    }
  })
}
