import { EVENTS } from '#shared/actor/streams.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Sender, inbox, said, sender, unsent } from './senders.ts'

suite('a tenant that gets a log of its own', ({ test }) => {
  const limits = { leaseMs: 2_000, handoverMs: 1_000, retryFirstMs: 20, retryMaxMs: 200 }
  const open = async (): Promise<TestSystem> => {
    const kit = testSystem({ storeLatencyMs: 1, limits })
    for (const name of ['a', 'b', 'c']) await kit.node(name, sender, inbox)
    // Until one of them keeps the log.
    await kit.clock.advance(6_000)
    return kit
  }
  const placed = (kit: TestSystem): boolean => Boolean(kit.database.places.get('acme'))
  const numbers = (upTo: number): number[] => Array.from({ length: upTo }, (_, n) => n + 1)
  const keeperOf = (kit: TestSystem): string =>
    [...kit.database.epochs].find(([name]) => name.startsWith('$log/EVT/'))![1].holder

  test('says everything in order and once, part of it before and part of it after; others are not disturbed', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    const other = kit.reach('globex').ref(Sender, 's')
    let n = 0
    const send = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        await kit.clock.settle(ref.tell('send', { n: ++n }))
        await kit.clock.settle(other.tell('send', { n }))
        await kit.clock.advance(7)
      }
    }
    await send(20)
    await kit.clock.settle(kit.nodes.get('b')!.logs.askFor('acme'))
    await kit.clock.settle(kit.nodes.get('c')!.logs.askFor('acme'))
    while (!placed(kit)) await send(1)
    await send(20)
    await kit.settled()
    await kit.clock.advance(10_000)
    assert.equal(await said(kit), numbers(n))
    const entries = await kit.log()
    const { after, from, stream } = kit.database.places.get('acme')!
    assert.is(stream, 'EVT-acme')
    assert.ok(entries.some(({ sequence }) => sequence <= after) && entries.some(({ sequence }) => sequence > from))
    assert.is(entries.filter(({ event }) => event.type === 'log:moved').length, 1)
    assert.equal((await kit.log('globex')).filter(({ event }) => event.type === 'sender:sent').length, n)
    assert.is(unsent(kit), 0)
    await kit.close()
  })

  test('is waited for by what was said while it moved, and no longer than a lease where a node stands still', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    for (const n of numbers(5)) await kit.clock.settle(ref.confirm('send', { n }))
    const keeper = keeperOf(kit)
    const still = ['a', 'b', 'c'].find((name) => name !== keeper)!
    kit.pause(still)
    await kit.clock.settle(kit.nodes.get(keeper)!.logs.askFor('acme'))
    const began = kit.clock.elapsed()
    await kit.clock.until(() => placed(kit), 20_000)
    assert.ok(kit.clock.elapsed() - began >= 1_000, 'the one that stands still was waited for')
    kit.resume(still)
    for (const n of [6, 7, 8]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.settled()
    await kit.clock.advance(10_000)
    assert.equal(await said(kit), numbers(8))
    assert.is(unsent(kit), 0)
    await kit.close()
  })

  test('what a node that stood still appended to the shared log is said again where it is read', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    await kit.clock.settle(ref.confirm('send', { n: 1 }))
    await kit.clock.advance(1_000)
    const holder = [...kit.database.epochs].find(([name]) => name.startsWith('sender/'))![1].holder
    const told = kit.reach().ref(Sender, 's').tell('send', { n: 2 })
    // Committed, and not yet relayed.
    await kit.clock.until(() => unsent(kit) > 0)
    kit.pause(holder)
    await kit.clock.advance(1_000)
    const other = ['a', 'b', 'c'].find((name) => name !== holder)!
    await kit.clock.settle(kit.nodes.get(other)!.logs.askFor('acme'))
    await kit.clock.until(() => placed(kit), 30_000)
    kit.resume(holder)
    await kit.clock.settle(told)
    await kit.settled()
    await kit.clock.advance(10_000)
    assert.equal(await said(kit), [1, 2])
    assert.is(unsent(kit), 0)
    await kit.close()
  })

  test('is moved by the next keeper when the one that moves it dies in the middle', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    for (const n of numbers(4)) await kit.clock.settle(ref.confirm('send', { n }))
    const keeper = keeperOf(kit)
    const [still, third] = ['a', 'b', 'c'].filter((name) => name !== keeper)
    kit.pause(still!)
    await kit.clock.settle(kit.nodes.get(third!)!.logs.askFor('acme'))
    await kit.clock.advance(500)
    assert.not.ok(placed(kit), 'it waits for the one that stands still')
    kit.kill(keeper)
    kit.resume(still!)
    await kit.clock.until(() => placed(kit), 60_000)
    for (const n of [5, 6]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.settled()
    await kit.clock.advance(10_000)
    assert.equal(await said(kit), numbers(6))
    await kit.close()
  })

  test('does not keep a node from leaving that holds back what it says', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    await kit.clock.settle(ref.confirm('send', { n: 1 }))
    const holder = [...kit.database.epochs].find(([name]) => name.startsWith('sender/'))![1].holder
    const [still, third] = ['a', 'b', 'c'].filter((name) => name !== holder)
    kit.pause(still!)
    await kit.clock.settle(kit.nodes.get(third!)!.logs.askFor('acme'))
    await kit.clock.advance(300)
    void ref.tell('send', { n: 2 })
    await kit.clock.until(() => unsent(kit) > 0)
    const leaving = kit.nodes.get(holder)!
    await kit.clock.settle(leaving.stop())
    kit.forget(holder)
    kit.resume(still!)
    await kit.clock.until(() => placed(kit), 60_000)
    await kit.settled()
    await kit.clock.advance(10_000)
    assert.equal(await said(kit), [1, 2])
    await kit.close()
  })

  test('and loses its tail there: every fact is told again, and the shared log keeps its name', async () => {
    const kit = await open()
    const ref = kit.reach().ref(Sender, 's')
    await kit.clock.settle(ref.confirm('send', { n: 1 }))
    await kit.clock.settle(kit.nodes.get('a')!.logs.askFor('acme'))
    await kit.clock.until(() => placed(kit), 30_000)
    for (const n of [2, 3, 4]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(10_000)
    const shared = kit.database.marks.get(EVENTS)!.incarnation
    const own = kit.database.marks.get('EVT-acme')!.incarnation
    assert.is(own, shared, 'cursors of before stay good')
    kit.broker.loseTail('EVT-acme', 3)
    kit.broker.restart()
    await kit.clock.advance(30_000)
    assert.equal(
      (await said(kit)).toSorted((a, b) => a - b),
      [1, 2, 3, 4],
    )
    assert.is(kit.database.marks.get(EVENTS)!.incarnation, shared)
    assert.is.not(kit.database.marks.get('EVT-acme')!.incarnation, own)
    await kit.close()
  })
})
