import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Nothing } from './rig.ts'

const Bell = contract('bell', {
  set: tell(z.object({ inMs: z.number() })),
  forget: tell(z.object({ slowly: z.boolean().optional() })),
  rung: ask(Nothing, z.array(z.number()), { within: '1m' }),
})
const bell = actor(Bell, {
  state: { version: 1, initial: () => ({ rung: [] as number[], again: 0 }) },
  sleepAfter: '2s',
  on: {
    set: (ctx, { inMs }) => ctx.remind('ring', ctx.now + inMs, { inMs }),
    forget: async (ctx, { slowly = false }) => {
      if (slowly) await (await ctx.sql()).query('get', ['x'])
      ctx.forget('ring')
    },
    rung: (ctx) => ctx.state.rung,
  },
  timers: {
    ring: (ctx, payload) => {
      ctx.state.rung.push((payload as { inMs: number }).inMs)
      // The same instant once more: another reminder, not a repetition of this one.
      if ((payload as { inMs: number }).inMs === 777 && ctx.state.again++ < 2) ctx.remind('ring', ctx.now, payload)
    },
  },
})

suite('reminders', ({ test }) => {
  test('fire once, at their time, though the actor sleeps', async () => {
    const kit = testSystem()
    const node = await kit.node('a', bell)
    const ref = kit.reach().ref(Bell, 'b')
    await kit.clock.settle(ref.confirm('set', { inMs: 30_000 }))
    await kit.clock.advance(20_000)
    assert.is(node.census().activations, 0)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [])
    await kit.clock.advance(60_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [30_000])
    assert.is(kit.database.timers.size, 0)
    await kit.close()
  })

  test('survive their holder, and those missed meanwhile fire at once', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('a', bell)
    await kit.clock.settle(kit.reach().ref(Bell, 'b').confirm('set', { inMs: 5_000 }))
    await kit.clock.settle(kit.reach().ref(Bell, 'c').confirm('set', { inMs: 100_000 }))
    kit.kill('a')
    await kit.clock.advance(50_000)
    await kit.node('b', bell)
    await kit.clock.advance(1_000)
    assert.equal(await kit.clock.settle(kit.reach().ref(Bell, 'b').ask('rung', {})), [5_000])
    assert.equal(await kit.clock.settle(kit.reach().ref(Bell, 'c').ask('rung', {})), [])
    await kit.clock.advance(60_000)
    assert.equal(await kit.clock.settle(kit.reach().ref(Bell, 'c').ask('rung', {})), [100_000])
    await kit.close()
  })

  test('a later one of the same name replaces it', async () => {
    const kit = testSystem()
    await kit.node('a', bell)
    const ref = kit.reach().ref(Bell, 'b')
    for (const inMs of [1_000, 1_500, 2_500]) {
      await kit.clock.settle(ref.confirm('set', { inMs }))
      await kit.clock.advance(500)
    }
    await kit.clock.advance(10_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [2_500])
    await kit.close()
  })

  test('one that is forgotten while it waits in the mailbox does not fire', async () => {
    const kit = testSystem({ storeLatencyMs: 50 })
    await kit.node('a', bell)
    const ref = kit.reach().ref(Bell, 'b')
    await kit.clock.settle(ref.confirm('set', { inMs: 1_000 }))
    await kit.clock.advance(850)
    await kit.clock.settle(ref.confirm('forget', { slowly: true }))
    await kit.clock.advance(5_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [])
    await kit.close()
  })

  test('a handler may set the same instant again', async () => {
    const kit = testSystem()
    await kit.node('a', bell)
    const ref = kit.reach().ref(Bell, 'b')
    await kit.clock.settle(ref.confirm('set', { inMs: 777 }))
    await kit.clock.advance(5_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [777, 777, 777])
    await kit.close()
  })

  test('beyond the horizon they are found when their time comes near', async () => {
    const kit = testSystem()
    await kit.node('a', bell)
    const ref = kit.reach().ref(Bell, 'b')
    const hours = 3 * 3_600_000
    await kit.clock.settle(ref.confirm('set', { inMs: hours }))
    await kit.clock.advance(hours - 10_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [])
    await kit.clock.advance(11_000)
    assert.equal(await kit.clock.settle(ref.ask('rung', {})), [hours])
    await kit.close()
  })
})
