import { z } from 'zod'
import { ask, contract, pool, spawned, tell } from '#shared/actor/contract.ts'
import { actor, poolActor, runActor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Counter = contract('counter', {
  add: tell(z.object({ by: z.number() }), { fails: ['BLOCKED'] }),
  total: ask(z.object({}), z.number()),
})
const Echo = pool('echo', { say: ask(z.object({ text: z.string() }), z.string()) })
const Job = spawned('job', z.object({ text: z.string() }), z.string())
const Boss = contract('boss', {
  work: tell(z.object({ text: z.string() })),
  results: ask(z.object({}), z.array(z.string())),
})

const counter = actor(Counter, {
  state: { version: 1, initial: () => ({ total: 0 }) },
  sleepAfter: '10s',
  on: {
    add: (ctx, { by }) => {
      if (by < 0) throw refuse('BLOCKED', { by })
      ctx.state.total += by
      ctx.emit('counter:added', { total: ctx.state.total }, { audience: 'pub' })
      return ctx.state.total
    },
    total: (ctx) => ctx.state.total,
  },
})
const echo = poolActor(Echo, { on: { say: (_ctx, { text }) => text.toUpperCase() } })
const job = runActor(Job, async (ctx, { text }) => {
  ctx.emit('job:said', { text }, { audience: 'ops' })
  return await ctx.reach.pool(Echo, 'main').ask('say', { text })
})
const boss = actor(Boss, {
  state: { version: 1, initial: () => ({ results: [] as string[] }) },
  on: {
    work: (ctx, { text }) => ctx.spawn(Job, [ctx.key[0]!, ctx.newId()], { text }),
    results: (ctx) => ctx.state.results,
  },
  ended: (ctx, end) => void ctx.state.results.push(end.error?.code ?? (end.result as string)),
})

suite('virtual actors', ({ test }) => {
  test('a told command is handled once and its receipt is said after the commit', async () => {
    const kit = testSystem({ storeLatencyMs: 2 })
    await kit.node('a', counter)
    const ref = kit.reach().ref(Counter, 'c1')
    assert.is(await kit.clock.settle(ref.confirm('add', { by: 2 })), 2)
    assert.is(await kit.clock.settle(ref.confirm('add', { by: 3 }, { id: 'same' })), 5)
    assert.is(
      await kit.clock.settle(ref.confirm('add', { by: 3 }, { id: 'same' })),
      5,
      'the same id again is the same command',
    )
    assert.is(await kit.clock.settle(ref.ask('total', {})), 5)
    const log = await kit.log()
    assert.equal(
      log.filter((entry) => entry.event.type === 'counter:added').map((entry) => entry.event.payload),
      [{ total: 2 }, { total: 5 }],
    )
    await kit.close()
  })

  test('a refusal is an answer: the state stays and the actor goes on', async () => {
    const kit = testSystem()
    await kit.node('a', counter)
    const ref = kit.reach().ref(Counter, 'c1')
    await kit.clock.settle(ref.confirm('add', { by: 1 }))
    try {
      await kit.clock.settle(ref.confirm('add', { by: -1 }))
      assert.unreachable()
    } catch (error) {
      assert.is((error as { code: string }).code, 'BLOCKED')
    }
    assert.is(await kit.clock.settle(ref.ask('total', {})), 1)
    await kit.close()
  })

  test('an idle actor is passivated and wakes with its state', async () => {
    const kit = testSystem()
    const node = await kit.node('a', counter)
    const ref = kit.reach().ref(Counter, 'c1')
    await kit.clock.settle(ref.confirm('add', { by: 7 }))
    assert.is(node.census().activations, 1)
    await kit.clock.advance(30_000)
    assert.is(node.census().activations, 0)
    assert.is(await kit.clock.settle(ref.ask('total', {})), 7)
    await kit.close()
  })

  test('a child run asks a pool and its end is told to the parent', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    await kit.node('a', boss, job, echo)
    const ref = kit.reach().ref(Boss, 'b1')
    await kit.clock.settle(ref.tell('work', { text: 'hello' }))
    await kit.settled()
    assert.equal(await kit.clock.settle(ref.ask('results', {})), ['HELLO'])
    await kit.close()
  })

  test('after a kill the next holder goes on with the run and the state', async () => {
    const kit = testSystem({ storeLatencyMs: 5, limits: { leaseMs: 2_000 } })
    await kit.node('a', boss, job, echo)
    const ref = kit.reach().ref(Boss, 'b1')
    await kit.clock.settle(ref.tell('work', { text: 'one' }))
    await kit.clock.advance(7)
    kit.kill('a')
    await kit.node('b', boss, job, echo)
    await kit.settled()
    assert.equal(await kit.clock.settle(ref.ask('results', {}, { within: '30s' })), ['ONE'])
    await kit.close()
  })
})
