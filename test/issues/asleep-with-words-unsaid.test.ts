import { z } from 'zod'
import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract('box', { put: tell(z.object({ n: z.number() })) }, { partitions: 1 })
const box = actor(Box, {
  state: { version: 1, initial: () => ({ count: 0 }) },
  sleepAfter: '1s',
  on: {
    put: (ctx, { n }) => {
      ctx.state.count++
      ctx.emit('box:put', { n }, { audience: 'pub' })
    },
  },
})

/** The order forced here: an actor has committed and cannot say it for longer than it takes to fall asleep; then it is woken. */
suite('an actor that cannot say what it has committed', ({ test }) => {
  test('stays awake, so that it says everything in order', async () => {
    const kit = testSystem()
    const node = await kit.node('a', box)
    const ref = kit.reach().ref(Box, 'b')
    kit.broker.faults.lostAppendAnswerRate = 0
    const append = kit.broker.connect('probe')
    await kit.clock.settle(append.close())
    for (const n of [1, 2]) await kit.clock.settle(ref.tell('put', { n }))
    await kit.clock.until(() => kit.database.outbox.size >= 1)
    kit.broker.partition('a')
    await kit.clock.advance(10_000)
    assert.is(node.census().activations, 1, 'it has something left to say')
    kit.broker.heal('a')
    await kit.clock.advance(2_000)
    await kit.settled()
    const said = (await kit.log()).filter((entry) => entry.counts && entry.event.type === 'box:put')
    assert.equal(
      said.map((entry) => (entry.event.payload as { n: number }).n),
      [1, 2],
    )
    await kit.clock.advance(10_000)
    assert.is(node.census().activations, 0)
    await kit.close()
  })
})
