import { z } from 'zod'
import { ask, contract } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Box = contract('box', { read: ask(z.object({}), z.number()) }, { partitions: 8 })
const box = actor(Box, { state: { version: 1, initial: () => 7 }, on: { read: (ctx) => ctx.state } })

/** The order forced here: a node leaves; the presence of before is read afterwards, from a follower that lags. */
suite('a node that has left', ({ test }) => {
  test('is not brought back to life by a stale read of the presence', async () => {
    const kit = testSystem({ limits: { leaseMs: 3_000 } })
    await kit.node('a', box)
    await kit.node('b', box)
    await kit.clock.advance(20_000)
    kit.broker.faults.staleReadMs = 20_000
    await kit.clock.settle(kit.nodes.get('b')!.stop())
    kit.forget('b')
    await kit.clock.advance(1_000)
    const claimed = (): number => kit.database.claims.filter((claim) => claim.partition.startsWith('box/')).length
    const claims = claimed()
    assert.is(kit.nodes.get('a')!.census().partitions, 8)
    await kit.clock.advance(30_000)
    assert.is(claimed(), claims, 'nothing is given up for a ghost')
    assert.is(kit.nodes.get('a')!.census().partitions, 8)
    assert.equal(
      kit.nodes
        .get('a')!
        .nodes()
        .map((node) => node.node),
      ['a'],
    )
    await kit.close()
  })
})
