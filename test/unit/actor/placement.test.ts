import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { actor, runActor } from '#shared/actor/definition.ts'
import { ownerOf } from '#shared/actor/placement.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Gate, Nothing } from './rig.ts'

suite('rendezvous hashing', ({ test }) => {
  const partitions = Array.from({ length: 256 }, (_, index) => index)
  const owners = (nodes: readonly string[]): (string | null)[] => partitions.map((one) => ownerOf(nodes, 'agent', one))

  test('a join moves to the new node only what it shall hold, a leave only what the node held', () => {
    const nodes = ['n1', 'n2', 'n3', 'n4']
    const before = owners(nodes)
    const joined = owners([...nodes, 'n5'])
    for (const one of partitions) assert.ok(joined[one] === before[one] || joined[one] === 'n5')
    const left = owners(nodes.filter((node) => node !== 'n2'))
    for (const one of partitions) assert.ok(left[one] === before[one] || before[one] === 'n2')
  })

  test('does not depend on the order of the nodes, and shares fairly', () => {
    assert.equal(owners(['n1', 'n2', 'n3']), owners(['n3', 'n1', 'n2']))
    const shares = new Map<string | null, number>()
    for (const owner of owners(['n1', 'n2', 'n3', 'n4'])) shares.set(owner, (shares.get(owner) ?? 0) + 1)
    for (const share of shares.values()) assert.ok(share > 32 && share < 112, String(share))
  })

  test('nobody owns anything where nobody is', () => {
    assert.is(ownerOf([], 'agent', 0), null)
  })
})

const Count = contract(
  'count',
  {
    add: tell(z.object({ n: z.number() })),
    list: ask(Nothing, z.array(z.number()), { within: '30s' }),
    work: tell(Nothing),
  },
  { partitions: 8 },
)
const Job = spawned('job', Nothing, z.string())
const count = actor(Count, {
  state: { version: 1, initial: () => ({ list: [] as number[] }) },
  on: {
    add: (ctx, { n }) => void ctx.state.list.push(n),
    list: (ctx) => ctx.state.list,
    work: (ctx) => ctx.spawn(Job, [ctx.key[0]!, ctx.newId()], {}),
  },
})
const keys = Array.from({ length: 12 }, (_, index) => `k${index}`)
const held = (kit: TestSystem): number =>
  [...kit.nodes.values()].reduce((sum, node) => sum + node.census().partitions, 0)

suite('partitions', ({ test }) => {
  test('are shared by those who join, and each is held by one', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    await kit.node('a', count)
    assert.is(kit.nodes.get('a')?.census().partitions, 8)
    await kit.node('b', count)
    await kit.clock.advance(20_000)
    const shares = [...kit.nodes.values()].map((node) => node.census().partitions)
    assert.is(held(kit), 8)
    assert.ok(
      shares.every((share) => share > 0),
      String(shares),
    )
    await kit.close()
  })

  test('of a node that leaves go over at once, and nothing is lost or doubled', async () => {
    const kit = testSystem({ storeLatencyMs: 2 })
    await kit.node('a', count)
    await kit.node('b', count)
    await kit.clock.advance(20_000)
    const sending = async (): Promise<void> => {
      for (let n = 0; n < 40; n++)
        for (const key of keys.slice(0, 4)) await kit.reach().ref(Count, key).tell('add', { n })
    }
    const sent = sending()
    await kit.clock.advance(10)
    const started = kit.clock.elapsed()
    await kit.clock.settle(kit.nodes.get('a')!.stop())
    kit.forget('a')
    await kit.clock.until(() => held(kit) === 8)
    assert.ok(kit.clock.elapsed() - started < 1_500, `took ${kit.clock.elapsed() - started} ms`)
    await kit.clock.settle(sent)
    await kit.settled()
    for (const key of keys.slice(0, 4)) {
      const list = await kit.clock.settle(kit.reach().ref(Count, key).ask('list', {}))
      assert.equal(
        list,
        Array.from({ length: 40 }, (_, index) => index),
      )
    }
    await kit.close()
  })

  test('one that drains long does not keep the others from their next holder', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    const gate = new Gate()
    const job = runActor(Job, async (ctx) => (await gate.pass(ctx), 'well'))
    await kit.node('a', count, job)
    await kit.node('b', count, job)
    await kit.clock.advance(20_000)
    for (let index = 0; kit.nodes.get('a')!.census().runs === 0; index++)
      await kit.clock.settle(kit.reach().ref(Count, `k${index}`).confirm('work', {}))
    void kit.nodes.get('a')!.stop()
    await kit.clock.until(() => kit.nodes.get('b')!.census().partitions === 7, 60_000)
    const waited = kit.journal.findLast((entry) => entry.name === 'partition:acquired' && entry.node === 'b')
    assert.ok(waited !== undefined)
    assert.is(kit.nodes.get('a')!.census().runs, 1, 'its run goes on meanwhile')
    gate.open()
    await kit.clock.advance(20_000)
    kit.forget('a')
    await kit.settled()
    await kit.close()
  })

  test('when all sleeps nothing is kept but the partitions', async () => {
    const kit = testSystem()
    const sleepy = { ...count, sleepAfterMs: 5_000 }
    const node = await kit.node('a', sleepy)
    const idle = kit.armed('a')
    const many = Array.from({ length: 200 }, (_, index) =>
      kit.reach().ref(Count, `k${index}`).confirm('add', { n: index }),
    )
    await kit.clock.settle(Promise.all(many))
    assert.is(node.census().activations, 200)
    await kit.clock.advance(30_000)
    assert.equal(node.census(), { partitions: 8, activations: 0, runs: 0, calls: 0 })
    assert.ok(kit.armed('a') <= idle + 1, `${kit.armed('a')} timers, ${idle} before`)
    await kit.close()
  })

  test('a process that stood still does not take the others for dead', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 3_000 } })
    await kit.node('a', count)
    await kit.node('b', count)
    await kit.clock.advance(20_000)
    const before = kit.database.claims.length
    kit.pause('a')
    await kit.clock.advance(1_500)
    kit.resume('a')
    await kit.clock.advance(10_000)
    assert.is(kit.database.claims.length, before, 'a pause shorter than the lease moves nothing')
    await kit.close()
  })
})
