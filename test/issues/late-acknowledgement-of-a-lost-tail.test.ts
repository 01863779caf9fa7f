import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { COMMANDS } from '#shared/actor/streams.ts'
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

/** One way to the store: an acknowledgement is at the broker long before the next command is committed. */
const STORE_MS = 200

/**
 * The order forced here: a command is being handled when the broker comes back from an older copy, in which its place in
 * the stream is free. Another command takes that place; then the first one is done and acknowledged. The broker knows
 * an acknowledgement by the consumer's name and the place, and would take it for that of the other command.
 */
suite('an acknowledgement of what the broker has lost', ({ test }) => {
  test('is not taken for that of the command that took its place', async () => {
    const kit = testSystem({ limits: { ackWaitMs: 60_000 }, storeLatencyMs: () => STORE_MS })
    await kit.node('a', box)
    const ref = kit.reach().ref(Box, 'b')
    kit.database.cut('a')
    await kit.clock.settle(ref.tell('put', { n: 1 }))
    await kit.clock.advance(50)
    kit.broker.loseTail(COMMANDS, 1)
    kit.broker.restart()
    await kit.clock.advance(50)
    await kit.clock.settle(ref.tell('put', { n: 2 }))
    kit.database.heal('a')
    await kit.clock.until(() => kit.database.processed.size === 1, 30_000)
    await kit.clock.advance(STORE_MS * 1.5)
    kit.kill('a')
    await kit.node('b', box)
    await kit.clock.until(() => kit.database.processed.size === 2, 30_000)
    assert.equal(await kit.clock.settle(ref.ask('list', {})), [1, 2])
    await kit.close()
  })
})
