import { z } from 'zod'
import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { EVENTS } from '#shared/actor/streams.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract('box', { put: tell(z.object({ n: z.number() })) }, { partitions: 1 })
const box = actor(Box, {
  state: { version: 1, initial: () => ({ count: 0 }) },
  on: {
    put: (ctx, { n }) => ctx.emit('box:put', { n }, { audience: 'pub' }),
  },
})

/** The order forced here: bytes that are no event stand in the log when it loses its tail, within what the keeper reads again. */
suite('a log with an entry that nobody can read', ({ test }) => {
  test('is kept all the same: what its tail held is said again', async () => {
    const kit = testSystem()
    await kit.node('a', box)
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.tell('put', { n: 1 }))
    await kit.settled()
    const stranger = kit.broker.connect('stranger')
    await kit.clock.settle(stranger.append('t.acme.ev.b.pub', Uint8Array.from([0xc1, 7]), { messageId: 'garbage' }))
    await kit.clock.settle(stranger.close())
    await kit.clock.settle(ref.tell('put', { n: 2 }))
    await kit.settled()
    await kit.clock.advance(10_000)
    kit.broker.loseTail(EVENTS, 1, { reborn: true })
    await kit.clock.advance(15_000)
    await kit.settled()
    const reader = kit.broker.connect('reader')
    const read = async (): Promise<number> => {
      let entries = 0
      for await (const { data } of reader.read(EVENTS, { filters: ['t.acme.ev.b.pub'], from: 1 }))
        if (Buffer.from(data).includes('box:put')) entries++
      return entries
    }
    assert.is(await kit.clock.settle(read()), 2)
    await kit.clock.settle(reader.close())
    await kit.close()
  })
})
