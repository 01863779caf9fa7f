import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract(
  'box',
  { put: tell(z.object({ n: z.number() })), list: ask(z.object({}), z.array(z.number()), { within: '1m' }) },
  { partitions: 1 },
)
const box = actor(Box, {
  state: { version: 1, initial: () => ({ list: [] as number[] }) },
  on: { put: (ctx, { n }) => void ctx.state.list.push(n), list: (ctx) => ctx.state.list },
})

/**
 * The order forced here: commands are on their way to the holder when its connection breaks. The broker counts them as
 * delivered and sends them again only after the ack wait; younger ones come at once when the connection is back.
 */
suite('a connection that breaks with commands on their way', ({ test }) => {
  test('does not let younger commands overtake them', async () => {
    const kit = testSystem({ limits: { ackWaitMs: 60_000 } })
    const node = await kit.node('a', box)
    kit.broker.faults.latencyMinMs = kit.broker.faults.latencyMaxMs = 50
    const ref = kit.reach().ref(Box, 'b')
    const told = [1, 2].map((n) => ref.tell('put', { n }))
    await kit.clock.advance(75)
    kit.broker.partition('a')
    kit.broker.heal('a')
    await kit.clock.settle(Promise.all(told))
    await kit.clock.settle(ref.tell('put', { n: 3 }))
    const started = kit.clock.elapsed()
    await kit.clock.until(() => kit.database.processed.size === 3, 30_000)
    assert.ok(kit.clock.elapsed() - started < 5_000, 'they come again at once, not after the ack wait')
    assert.equal(await kit.clock.settle(ref.ask('list', {})), [1, 2, 3])
    assert.is(node.census().partitions, 1)
    assert.is(kit.database.epochs.get('box/0')?.epoch, 1, 'the partition is kept')
    await kit.close()
  })
})
