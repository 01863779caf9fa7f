import { z } from 'zod'
import { ask, contract, pool, spawned, tell } from '#shared/actor/contract.ts'
import { actor, poolActor, runActor } from '#shared/actor/definition.ts'
import type { Definition, RunContext } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { WaggleError, coded, refuse } from '#shared/errors/waggle-error.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Gate, Nothing } from './rig.ts'

const Job = spawned('job', z.object({ name: z.string() }), z.string(), { within: '5m' })
const Boss = contract('boss', {
  start: tell(z.object({ name: z.string(), withinMs: z.number().optional() })),
  startAndStop: tell(z.object({ name: z.string() })),
  halt: tell(z.object({ name: z.string() })),
  nudge: tell(z.object({ name: z.string(), fails: z.boolean().optional() }), { fails: ['BUSY'] }),
  log: ask(Nothing, z.array(z.string())),
  at: ask(Nothing, z.number(), { within: '1m' }),
})

const boss = actor(Boss, {
  state: { version: 1, initial: () => ({ log: [] as string[] }) },
  sleepAfter: '5s',
  on: {
    start: (ctx, { name, withinMs = 300_000 }) =>
      ctx.spawn(Job, [ctx.key[0]!, name], { name }, { within: `${withinMs}ms` }),
    startAndStop: (ctx, { name }) => {
      ctx.spawn(Job, [ctx.key[0]!, name], { name })
      ctx.stop(Job, [ctx.key[0]!, name], 'changed my mind')
    },
    halt: (ctx, { name }) => ctx.stop(Job, [ctx.key[0]!, name], 'halted'),
    nudge: (ctx, { name, fails = false }) => {
      ctx.nudge(Job, [ctx.key[0]!, name])
      if (fails) throw refuse('BUSY')
      ctx.state.log.push(`nudged ${name}`)
    },
    log: (ctx) => ctx.state.log,
    at: (ctx) => ctx.cause.deadline,
  },
  ended: (ctx, end) => {
    const { couldNotStop } = (end.error?.details ?? {}) as { couldNotStop?: string[] }
    const word = end.error === null ? (end.result as string) : end.error.code
    ctx.state.log.push([end.key[1], end.state, word, ...(couldNotStop ?? [])].join(' '))
  },
})

const job = (work: (ctx: RunContext, name: string) => Promise<string>): Definition =>
  runActor(Job, (ctx, { name }) => work(ctx, name))
const told = (kit: TestSystem, name: 'start' | 'startAndStop' | 'halt', run: string): Promise<unknown> =>
  kit.clock.settle(kit.reach().ref(Boss, 'b').confirm(name, { name: run }))
const logOf = async (kit: TestSystem): Promise<string[]> =>
  (await kit.clock.settle(kit.reach().ref(Boss, 'b').ask('log', {}, { within: '30s' }))) as string[]

suite('a run and its holders', ({ test }) => {
  test('the next holder resumes it as a further attempt, after opening its epoch in the log', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    const gate = new Gate()
    const attempts: string[] = []
    const work = job(async (ctx) => {
      attempts.push(`${ctx.attempt} ${ctx.resumed}`)
      ctx.emit('job:said', { attempt: ctx.attempt }, { audience: 'pub' })
      if (ctx.attempt === 1) await gate.pass(ctx)
      return 'well'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.clock.advance(100)
    kit.kill('a')
    await kit.node('b', boss, work)
    await kit.settled()
    assert.equal(await logOf(kit), ['j done well'])
    assert.equal(attempts, ['1 false', '2 true'])
    const words = (await kit.log()).filter((entry) => entry.event.by === 'job/b--j').map((entry) => entry.event.type)
    assert.equal(words, ['job:said', 'activation:opened', 'job:said'])
    await kit.close()
  })

  test('is nudged by its parent once that is committed, also before it runs, and not by a handler that refused', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    const gate = new Gate()
    const seen: number[] = []
    const work = job(async (ctx) => {
      seen.push(ctx.nudges)
      await gate.pass(ctx)
      seen.push(ctx.nudges)
      return 'well'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.clock.advance(100)
    const nudge = (input: { name: string; fails?: boolean }): Promise<unknown> =>
      kit.clock.settle(kit.reach().ref(Boss, 'b').confirm('nudge', input))
    await nudge({ name: 'j' })
    await nudge({ name: 'nobody' })
    await nudge({ name: 'j', fails: true }).catch(() => {})
    gate.open()
    await kit.settled()
    assert.equal(seen, [0, 1])
    await kit.close()
  })

  test('what a stopped process says when it goes on is void', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000, handoverMs: 500 } })
    const gate = new Gate()
    const work = job(async (ctx) => {
      if (ctx.attempt === 1) await gate.deaf
      ctx.emit('job:said', { attempt: ctx.attempt }, { audience: 'pub' })
      return `well ${ctx.attempt}`
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.clock.advance(100)
    kit.pause('a')
    gate.open()
    await kit.node('b', boss, work)
    await kit.clock.advance(8_000)
    kit.resume('a')
    await kit.settled()
    assert.equal(await logOf(kit), ['j done well 2'])
    const said = (await kit.log()).filter((entry) => entry.event.type === 'job:said')
    assert.equal(
      said.filter((entry) => entry.counts).map((entry) => entry.event.payload),
      [{ attempt: 2 }],
    )
    assert.is(said.length, 2, 'the stopped process did speak')
    await kit.close()
  })

  test('two tenants with the same keys say what they say, each for itself', async () => {
    const kit = testSystem()
    await kit.node(
      'a',
      boss,
      job(async (ctx) => {
        ctx.emit('job:said', { tenant: ctx.tenant }, { audience: 'pub' })
        return 'well'
      }),
    )
    for (const tenant of ['acme', 'globex'])
      await kit.clock.settle(kit.reach(tenant).ref(Boss, 'b').confirm('start', { name: 'j' }, { id: 'same-id' }))
    await kit.settled()
    for (const tenant of ['acme', 'globex']) {
      const said = (await kit.log(tenant)).filter((entry) => entry.event.type === 'job:said')
      assert.equal(
        said.map((entry) => entry.event.payload),
        [{ tenant }],
      )
    }
    await kit.close()
  })
})

suite('stopping a run', ({ test }) => {
  test('one that waits for a slot ends without having begun', async () => {
    const kit = testSystem({ limits: { runs: 1 } })
    const gate = new Gate()
    await kit.node(
      'a',
      boss,
      job(async (ctx) => (await gate.pass(ctx), 'well')),
    )
    await told(kit, 'start', 'first')
    await told(kit, 'start', 'second')
    await told(kit, 'halt', 'second')
    assert.equal(await logOf(kit), ['second stopped CANCELLED'])
    assert.is(gate.reached, 1)
    gate.open()
    await kit.settled()
    await kit.close()
  })

  test('one at work hears it and says what it had done', async () => {
    const kit = testSystem()
    const gate = new Gate()
    const work = job(async (ctx) => {
      await gate.pass(ctx).catch(() => {})
      return `heard ${coded(ctx.signal.reason).code}`
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await told(kit, 'halt', 'j')
    await kit.settled()
    assert.equal(await logOf(kit), ['j stopped heard CANCELLED'])
    await kit.close()
  })

  test('a deaf one is ended without it, named, and not heard any more', async () => {
    const kit = testSystem({ limits: { runs: 1 } })
    const gate = new Gate()
    const work = job(async (ctx, name) => {
      if (name === 'next') return 'its slot is free'
      await gate.deaf
      ctx.emit('job:said', {}, { audience: 'pub' })
      return 'too late'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await told(kit, 'halt', 'j')
    await told(kit, 'start', 'next')
    await kit.settled()
    gate.open()
    await kit.clock.advance(1_000)
    assert.equal(await logOf(kit), ['j stopped CANCELLED job/b--j', 'next done its slot is free'])
    assert.is((await kit.log()).filter((entry) => entry.event.type === 'job:said').length, 0)
    await kit.close()
  })

  test('one that is spawned and stopped by the same handler ends', async () => {
    const kit = testSystem({ limits: { runs: 1 } })
    const gate = new Gate()
    await kit.node(
      'a',
      boss,
      job(async (ctx) => (await gate.pass(ctx), 'well')),
    )
    await told(kit, 'startAndStop', 'j')
    await kit.settled()
    assert.equal(await logOf(kit), ['j stopped CANCELLED'])
    await kit.close()
  })

  test('a stop survives the holder that was told', async () => {
    const kit = testSystem({ storeLatencyMs: 5, limits: { leaseMs: 2_000 } })
    const gate = new Gate()
    let starts = 0
    const work = job(async () => {
      starts++
      await gate.deaf
      return 'well'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    const before = kit.database.commits.length
    void kit.reach().ref(Boss, 'b').tell('halt', { name: 'j' })
    await kit.clock.until(() => kit.database.commits.length > before)
    kit.kill('a')
    await kit.node('b', boss, work)
    await kit.settled()
    assert.equal(await logOf(kit), ['j stopped CANCELLED'])
    assert.is(starts, 1, 'the next holder does not go on with what was stopped')
    await kit.close()
  })
})

const Clock = pool('clock', { deadline: ask(Nothing, z.number(), { within: '1m' }) })

suite('the deadline of a run', ({ test }) => {
  test('is absolute, counts its time in the queue, and is inherited by what it asks', async () => {
    const kit = testSystem()
    const seen: number[] = []
    const clock = poolActor(Clock, { on: { deadline: (ctx) => ctx.cause.deadline } })
    const work = job(async (ctx) => {
      seen.push(ctx.cause.deadline)
      seen.push(await ctx.reach.pool(Clock, 'main').ask('deadline', {}))
      seen.push(await ctx.reach.ref(Boss, 'other').ask('at', {}))
      return 'well'
    })
    await kit.node('a', boss, work, clock)
    const started = kit.clock.now()
    await kit.clock.settle(kit.reach().ref(Boss, 'b').tell('start', { name: 'j', withinMs: 10_000 }))
    await kit.settled()
    assert.is(seen.length, 3)
    for (const deadline of seen)
      assert.ok(deadline >= started + 10_000 && deadline < started + 10_100, String(deadline))
    await kit.close()
  })

  test('ends one that listens, and one that does not', async () => {
    const kit = testSystem()
    const gate = new Gate()
    const work = job(async (ctx, name) => {
      if (name === 'deaf') await gate.deaf
      else await gate.pass(ctx)
      return 'well'
    })
    await kit.node('a', boss, work)
    for (const name of ['hears', 'deaf'])
      await kit.clock.settle(kit.reach().ref(Boss, 'b').tell('start', { name, withinMs: 2_000 }))
    await kit.clock.advance(10_000)
    await kit.settled()
    assert.equal(await logOf(kit), ['hears failed DEADLINE', 'deaf failed DEADLINE job/b--deaf'])
    await kit.close()
  })
})

suite('outside effects', ({ test }) => {
  const effects = async (
    repeatable: boolean,
    work: (times: number) => Promise<string>,
  ): Promise<{ log: string[]; times: number; kit: TestSystem }> => {
    const kit = testSystem({ storeLatencyMs: 2, limits: { leaseMs: 2_000 } })
    let times = 0
    const run = job(async (ctx) => {
      const result = await ctx.effect({ id: 'pay', tool: 'pay', argsHash: 'x', repeatable }, () => work(++times))
      return result.status
    })
    await kit.node('a', boss, run)
    await told(kit, 'start', 'j')
    await kit.clock.advance(100)
    kit.kill('a')
    await kit.node('b', boss, run)
    await kit.settled()
    return { log: await logOf(kit), times, kit }
  }
  const never = new Promise<string>(() => {})

  test('one that was begun by a holder that died is not repeated, and said to be unknown', async () => {
    const { log, times, kit } = await effects(false, () => never)
    assert.equal([log, times], [['j done unknown'], 1])
    await kit.close()
  })

  test('one that may be repeated is', async () => {
    const { log, times, kit } = await effects(true, (count) => (count === 1 ? never : Promise.resolve('paid')))
    assert.equal([log, times], [['j done done'], 2])
    await kit.close()
  })

  test('one that its run will not settle any more, because it is deaf to a stop or to its deadline, is in doubt', async () => {
    for (const [ends, over] of [
      [(kit: TestSystem) => told(kit, 'halt', 'j'), 'j stopped CANCELLED job/b--j'],
      [(kit: TestSystem) => kit.clock.advance(310_000), 'j failed DEADLINE job/b--j'],
    ] as const) {
      const kit = testSystem({ storeLatencyMs: 1 })
      const effect = { id: 'pay', tool: 'pay', argsHash: 'x', repeatable: true }
      await kit.node(
        'a',
        boss,
        job(async (ctx) => (await ctx.effect(effect, () => never)).status),
      )
      await told(kit, 'start', 'j')
      await kit.clock.advance(100)
      assert.is(kit.database.effects.get('acme/pay')?.status, 'intended')
      await ends(kit)
      await kit.settled()
      assert.equal(await logOf(kit), [over])
      assert.is(kit.database.effects.get('acme/pay')?.status, 'unknown')
      await kit.close()
    }
  })

  test('an error that is no answer leaves it in doubt; an answer of the tool does not', async () => {
    for (const [error, status] of [
      [new Error('connection reset'), 'unknown'],
      [new WaggleError('DEADLINE'), 'unknown'],
      [new WaggleError('TOOL_FAILED'), 'failed'],
      [new WaggleError('UNREACHABLE'), 'failed'],
    ] as const) {
      const kit = testSystem()
      const run = job(async (ctx) => {
        const effect = { id: 'pay', tool: 'pay', argsHash: 'x', repeatable: false }
        return (await ctx.effect(effect, () => Promise.reject(error))).status
      })
      await kit.node('a', boss, run)
      await told(kit, 'start', 'j')
      await kit.settled()
      assert.equal(await logOf(kit), [`j done ${status}`], error.message)
      await kit.close()
    }
  })
})

suite('what a run says, and what rests on it', ({ test }) => {
  test('a run whose fact the broker did not take goes on again, and says it', async () => {
    const kit = testSystem()
    const attempts: number[] = []
    const work = job(async (ctx) => {
      kit.broker.faults.lostAppendAnswerRate = attempts.length === 0 ? 1 : 0
      attempts.push(ctx.attempt)
      ctx.emit('job:said', {}, { audience: 'pub', id: 'once' })
      await ctx.flushed()
      kit.broker.faults.lostAppendAnswerRate = 0
      return 'well'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.settled()
    assert.equal(await logOf(kit), ['j done well'])
    assert.equal(attempts, [1, 1], 'an outage is no restart')
    assert.is((await kit.log()).filter(({ event }) => event.type === 'job:said').length, 1)
    await kit.close()
  })

  test('a fact that the broker never takes ends the run with its reason', async () => {
    const kit = testSystem()
    let attempts = 0
    const work = job(async (ctx) => {
      attempts++
      ctx.emit('job:said', 'x'.repeat(2 * 1024 * 1024), { audience: 'pub' })
      return 'well'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.settled()
    assert.match((await logOf(kit)).join(), /j failed (TOO_LARGE|GAVE_UP)/)
    assert.ok(attempts <= 4, `${attempts} attempts`)
    await kit.close()
  })

  test('a delta that was lost is nothing that a run is begun again for', async () => {
    const kit = testSystem()
    let attempts = 0
    const work = job(async (ctx) => {
      attempts++
      kit.broker.faults.lostAppendAnswerRate = 1
      ctx.emit('job:piece', {}, { audience: 'pub', volatile: true })
      const whole = await ctx.flushed()
      kit.broker.faults.lostAppendAnswerRate = 0
      return whole ? 'whole' : 'with a gap'
    })
    await kit.node('a', boss, work)
    await told(kit, 'start', 'j')
    await kit.settled()
    assert.equal([await logOf(kit), attempts], [['j done with a gap'], 1])
    await kit.close()
  })

  test('nothing may rest on the words of an attempt that is not heard any more: crashed, left or lost', async () => {
    const ends = {
      crashed: (_kit: TestSystem, crash: () => void) => crash(),
      left: (kit: TestSystem) => void kit.nodes.get('a')!.stop(),
      lost: (kit: TestSystem) => kit.pause('a'),
    }
    for (const [how, end] of Object.entries(ends)) {
      const kit = testSystem({ limits: { leaseMs: 2_000 } })
      const first: RunContext[] = []
      let crash = (): void => {}
      const work = job(async (ctx) => {
        first.push(ctx)
        if (first.length === 1) await new Promise<void>((_, reject) => (crash = () => reject(new Error('crash'))))
        return 'well'
      })
      await kit.node('a', boss, work)
      await told(kit, 'start', 'j')
      await kit.clock.advance(100)
      await first[0]!.factsStored()
      end(kit, crash)
      await kit.node('b', boss, work)
      await kit.clock.advance(10_000)
      if (how === 'lost') kit.resume('a')
      await kit.settled()
      first[0]!.emit('job:said', {}, { audience: 'pub' })
      assert.is(await codeOf(first[0]!.factsStored()), 'LEAVING', how)
      assert.is((await kit.log()).filter(({ event }) => event.type === 'job:said').length, 0, how)
      assert.equal(await logOf(kit), ['j done well'], how)
      await kit.close()
    }
  })
})
