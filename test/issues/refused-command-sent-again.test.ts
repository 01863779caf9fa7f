import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { Nothing, failure } from '#test/unit/actor/rig.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Room = contract(
  'room',
  {
    enter: tell(z.object({ who: z.string() }), { fails: ['BUSY'] }),
    leave: tell(Nothing),
    who: ask(Nothing, z.array(z.string())),
  },
  { partitions: 1 },
)

/** A room for one. */
function room(tries: { count: number }): ReturnType<typeof actor> {
  return actor(Room, {
    state: { version: 1, initial: () => ({ inside: [] as string[] }) },
    on: {
      enter: (ctx, { who }) => {
        tries.count++
        if (ctx.state.inside.length > 0) throw refuse('BUSY', {})
        ctx.state.inside.push(who)
      },
      leave: (ctx) => void ctx.state.inside.shift(),
      who: (ctx) => ctx.state.inside,
    },
  })
}

suite('a command that was refused for now', ({ test }) => {
  test('is handled anew when it is sent again under its id, and once only', async () => {
    const kit = testSystem()
    const tries = { count: 0 }
    await kit.node('a', room(tries))
    const ref = kit.reach().ref(Room, 'r')
    await kit.clock.settle(ref.confirm('enter', { who: 'ada' }))
    assert.is((await failure(kit, ref.confirm('enter', { who: 'bob' }, { id: 'bob' }))).code, 'BUSY')
    await kit.clock.settle(ref.confirm('leave', {}))
    for (const _ of [1, 2]) await kit.clock.settle(ref.confirm('enter', { who: 'bob' }, { id: 'bob' }))
    assert.equal(await kit.clock.settle(ref.ask('who', {})), ['bob'])
    assert.is(tries.count, 4)
    await kit.close()
  })

  test('stays refused when the broker delivers the same try again, though there is room by then', async () => {
    const kit = testSystem({ limits: { ackWaitMs: 2_000 } })
    const tries = { count: 0 }
    await kit.node('a', room(tries))
    const ref = kit.reach().ref(Room, 'r')
    await kit.clock.settle(ref.confirm('enter', { who: 'ada' }))
    kit.broker.faults.lostAckRate = 1
    assert.is((await failure(kit, ref.confirm('enter', { who: 'bob' }, { id: 'bob' }))).code, 'BUSY')
    await kit.clock.settle(ref.confirm('leave', {}))
    await kit.clock.advance(10_000)
    kit.broker.faults.lostAckRate = 0
    await kit.settled()
    assert.equal(await kit.clock.settle(ref.ask('who', {})), [])
    assert.is(tries.count, 2)
    await kit.close()
  })
})
