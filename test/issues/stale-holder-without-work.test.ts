import { z } from 'zod'
import { ask, contract } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract('box', { read: ask(z.object({}), z.number()) }, { partitions: 1 })
const box = actor(Box, { state: { version: 1, initial: () => 7 }, on: { read: (ctx) => ctx.state } })

/**
 * The order forced here: an epoch is minted by a node that dies before it has opened the partition. The old holder has
 * nothing to commit, so no commit tells it that its epoch has passed.
 */
suite('a holder that was overtaken by a node that died at once', ({ test }) => {
  test('notices it without having to commit, and takes the partition again', async () => {
    const kit = testSystem({ limits: { leaseMs: 3_000 } })
    await kit.node('a', box)
    await kit.clock.settle(kit.database.connect('ghost').claim('box', 0, 'ghost'))
    await kit.clock.advance(10_000)
    assert.equal(kit.database.epochs.get('box/0'), { epoch: 3, holder: 'a' })
    assert.is(await kit.clock.settle(kit.reach().ref(Box, 'b').ask('read', {})), 7)
    await kit.close()
  })
})
