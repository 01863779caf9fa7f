import { z } from 'zod'
import { Committer } from '#shared/actor/committer.ts'
import { FairQueue } from '#shared/actor/fair.ts'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { EventLog } from '#shared/actor/event-log.ts'
import type { HostCore } from '#shared/actor/core.ts'
import { actor } from '#shared/actor/definition.ts'
import { DEFAULT_LIMITS } from '#shared/actor/limits.ts'
import { observeNothing } from '#shared/actor/observe.ts'
import type { Fence, Step } from '#shared/actor/store.ts'
import { MemoryDatabase } from '#shared/actor/testkit/memory-store.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Nothing } from './rig.ts'

const FENCE: Fence = { tenant: 'acme', kind: 'box', partition: 0, epoch: 1 }

function step(key: string, id: string): Step {
  const nothing = { outbox: null, timers: [], runs: [], openings: [], deadLetter: null, clearAttempts: null }
  return { key, command: { id, at: 0, receipt: null }, state: { version: 1, value: id }, ...nothing }
}

interface Rig {
  readonly clock: SimClock
  readonly db: MemoryDatabase
  readonly committer: Committer
  /** Another one of the same process. */
  readonly other: (fence: Fence) => Committer
  readonly batches: number[]
}

async function committer(): Promise<Rig> {
  const clock = new SimClock()
  const db = new MemoryDatabase({ clock, latencyMs: () => 5 })
  const store = db.connect('a')
  await clock.settle(store.claim('box', 0, 'a'))
  const batches: number[] = []
  const transport = memoryBroker({ clock }).connect('a')
  const core: HostCore = {
    node: 'a',
    transport,
    events: new EventLog(transport, clock),
    clock,
    random: () => 0.5,
    newId: () => 'id',
    limits: { ...DEFAULT_LIMITS, batch: 4 },
    log: silentLogger,
    observe: observeNothing,
    store: Object.assign(Object.create(store) as typeof store, {
      commit: (fence: Fence, steps: readonly Step[]) => {
        batches.push(steps.length)
        if (steps.some((one) => one.key === 'bad')) return Promise.reject(new WaggleError('INTERNAL'))
        return store.commit(fence, steps)
      },
    }),
  }
  const turns = new FairQueue(1, clock)
  const other = (fence: Fence): Committer => new Committer(core, fence, turns)
  return { clock, db, committer: other(FENCE), other, batches }
}

suite('the group commit', ({ test }) => {
  test('what comes while a transaction is under way goes together in the next, up to the batch', async () => {
    const { clock, committer: group, batches } = await committer()
    const all = Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => group.commit(step(key, `${key}1`))))
    assert.equal(await clock.settle(all), [true, true, true, true, true, true])
    assert.equal(batches, [1, 4, 1])
    assert.ok(group.idle)
  })

  test('a tenant that comes last does not wait for the transactions of all partitions of another', async () => {
    const { clock, other, db } = await committer()
    const store = db.connect('a')
    const group = async (tenant: string, partition: number): Promise<Committer> =>
      other({ tenant, kind: 'box', partition, epoch: await clock.settle(store.claim('box', partition, 'a')) })
    const groups = [await group('acme', 1), await group('acme', 2), await group('acme', 3), await group('globex', 4)]
    const ended: number[] = []
    const all = groups.map((one, at) => one.commit(step('a', `${at}`)).then(() => void ended.push(at)))
    await clock.settle(Promise.all(all))
    assert.equal(ended, [0, 3, 1, 2])
  })

  test('a duplicate takes only itself out', async () => {
    const { clock, committer: group, db } = await committer()
    assert.is(await clock.settle(group.commit(step('b', 'twice'))), true)
    const all = Promise.all([step('a', '1'), step('b', 'twice'), step('c', '3')].map((one) => group.commit(one)))
    assert.equal(await clock.settle(all), [true, false, true])
    assert.equal([...db.states.keys()], ['acme/box/b', 'acme/box/a', 'acme/box/c'])
  })

  test('a step that the store cannot hold fails alone', async () => {
    const { clock, committer: group } = await committer()
    const all = Promise.allSettled(['a', 'b', 'bad', 'c'].map((key) => group.commit(step(key, `${key}1`))))
    const states = (await clock.settle(all)).map((one) => one.status)
    assert.equal(states, ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  })

  test('a stale epoch and an outage fail all that are in it', async () => {
    for (const code of ['STALE_EPOCH', 'DATABASE_DOWN'] as const) {
      const { clock, committer: group, db } = await committer()
      if (code === 'STALE_EPOCH') await clock.settle(db.connect('b').claim('box', 0, 'b'))
      else db.cut('a')
      const all = Promise.allSettled(['a', 'b', 'c'].map((key) => group.commit(step(key, `${key}1`))))
      const failed = (await clock.settle(all)).map((one) => (one.status === 'rejected' ? coded(one.reason).code : ''))
      assert.equal(failed, [code, code, code])
    }
  })
})

const Box = contract('box', { put: tell(z.object({ n: z.number() })), list: ask(Nothing, z.any()) }, { partitions: 1 })
const put = z.object({ n: z.number() })

suite('the state of an actor', ({ test }) => {
  test('of an older version is brought up, and written so', async () => {
    const kit = testSystem()
    const old = actor(Box, {
      state: { version: 1, initial: () => [] as number[] },
      on: { put: (ctx, { n }) => void ctx.state.push(n), list: (ctx) => ctx.state },
    })
    const young = actor(Box, {
      state: {
        version: 2,
        initial: () => ({ numbers: [] as number[] }),
        upgrade: (value, version) => ({ numbers: [...(value as number[]), version * 100] }),
      },
      on: { put: (ctx, { n }) => void ctx.state.numbers.push(n), list: (ctx) => ctx.state },
    })
    const first = await kit.node('a', old)
    await kit.clock.settle(kit.reach().ref(Box, 'b').confirm('put', { n: 1 }))
    await kit.clock.settle(first.stop())
    kit.forget('a')
    await kit.node('b', young)
    await kit.clock.settle(kit.reach().ref(Box, 'b').confirm('put', { n: 2 }))
    assert.equal(kit.database.states.get('acme/box/b')?.value, { numbers: [1, 100, 2] })
    assert.is(kit.database.states.get('acme/box/b')?.version, 2)
    await kit.close()
  })

  test('of a version that this process does not know is not touched, and the commands are dead letters', async () => {
    const kit = testSystem({ limits: { attempts: 2 } })
    const unknown = actor(Box, {
      state: { version: 1, initial: () => [] as number[] },
      on: { put: (ctx, { n }) => void ctx.state.push(n), list: (ctx) => ctx.state },
    })
    kit.database.states.set('acme/box/b', { epoch: 0, version: 9, value: 'from the future' })
    await kit.node('a', unknown)
    await kit.clock.settle(kit.reach().ref(Box, 'b').tell('put', { n: 1 }))
    await kit.settled()
    assert.equal(
      [...kit.database.letters.values()].map((letter) => letter.code),
      ['GAVE_UP'],
    )
    assert.is(kit.database.states.get('acme/box/b')?.value, 'from the future')
    await kit.close()
  })

  test('an upcaster brings older messages up', async () => {
    const kit = testSystem()
    const Young = contract('box', { put: tell(put), list: ask(Nothing, z.any()) }, { partitions: 1, version: 2 })
    const young = actor(Young, {
      state: { version: 1, initial: () => [] as number[] },
      on: { put: (ctx, { n }) => void ctx.state.push(n), list: (ctx) => ctx.state },
      upcast: { put: (payload, version) => ({ n: (payload as { n: number }).n * 10 + version }) },
    })
    await kit.node('a', young)
    await kit.clock.settle(kit.reach().ref(Box, 'b').confirm('put', { n: 1 }))
    await kit.clock.settle(kit.reach().ref(Young, 'b').confirm('put', { n: 1 }))
    assert.equal(await kit.clock.settle(kit.reach().ref(Young, 'b').ask('list', {})), [11, 1])
    await kit.close()
  })

  test('a stateless actor keeps none, and handles a repeated command again', async () => {
    const kit = testSystem({ limits: { ackWaitMs: 1_000 } })
    let handled = 0
    const stateless = actor(Box, {
      state: { version: 1, initial: () => null },
      stateless: true,
      on: {
        put: (ctx, { n }) => {
          handled++
          ctx.emit('box:put', { n }, { audience: 'ops' })
        },
        list: () => null,
      },
    })
    await kit.node('a', stateless)
    kit.broker.faults.lostAckRate = 1
    await kit.clock.settle(kit.reach().ref(Box, 'b').tell('put', { n: 1 }))
    await kit.clock.until(() => handled === 2, 5_000)
    kit.broker.faults.lostAckRate = 0
    await kit.settled()
    assert.ok(handled >= 2)
    assert.equal([kit.database.commits.length, kit.database.states.size, kit.database.processed.size], [0, 0, 0])
    await kit.close()
  })
})
