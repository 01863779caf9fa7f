import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { actor, runActor } from '#shared/actor/definition.ts'
import type { ActorDefinition, RunContext, RunDefinition } from '#shared/actor/definition.ts'
import { superviseCrash, supervision } from '#shared/actor/supervise.ts'
import type { SupervisionOptions } from '#shared/actor/supervise.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Gate, Nothing } from './rig.ts'

const CRASH = new WaggleError('CRASHED')

suite('supervision as data', ({ test }) => {
  test('a child may be restarted so often within the window, and has failed beyond', () => {
    const policy = supervision({ restarts: 2, within: '10s', backoff: ['100ms', '1s'] })
    const first = superviseCrash(policy, CRASH, [], 1_000, () => 0.5)
    assert.ok(!first.final && first.decision === 'restart')
    const second = superviseCrash(policy, CRASH, first.final ? [] : first.restarts, 2_000, () => 0.5)
    assert.ok(!second.final)
    assert.equal(
      superviseCrash(policy, CRASH, [1_000, 2_000], 3_000, () => 0.5),
      {
        final: true,
        decision: 'stop',
        gaveUp: true,
      },
    )
  })

  test('restarts out of the window are forgotten', () => {
    const policy = supervision({ restarts: 1, within: '10s' })
    const late = superviseCrash(policy, CRASH, [1_000], 11_001, () => 0)
    assert.ok(!late.final)
    assert.equal(late.final ? [] : late.restarts, [11_001])
  })

  test('the back-off doubles up to its bound and lies between half and all of it', () => {
    const policy = supervision({ restarts: 100, within: '10m', backoff: ['100ms', '1s'] })
    for (let count = 0; count < 10; count++) {
      const restarts = Array.from({ length: count }, (_, index) => 1_000 + index)
      const ceiling = Math.min(1_000, 100 * 2 ** count)
      for (const dice of [0, 0.3, 0.999]) {
        const verdict = superviseCrash(policy, CRASH, restarts, 2_000, () => dice)
        const waitMs = verdict.final ? -1 : verdict.waitMs
        assert.ok(waitMs >= ceiling / 2 && waitMs <= ceiling, `${waitMs} of ${ceiling}`)
      }
    }
  })
})

const Job = spawned('job', z.object({ name: z.string() }), z.string(), { fails: ['TOOL_DENIED'], within: '5m' })
const Boss = contract('boss', {
  start: tell(z.object({ name: z.string() })),
  log: ask(Nothing, z.array(z.string())),
  spoil: tell(Nothing),
})

function boss(children: SupervisionOptions): ActorDefinition {
  return actor(Boss, {
    state: { version: 1, initial: () => ({ log: [] as string[] }) },
    children,
    on: {
      start: (ctx, { name }) => ctx.spawn(Job, [ctx.key[0]!, name], { name }),
      log: (ctx) => ctx.state.log,
      spoil: (ctx) => void ctx.state.log.push('spoilt'),
    },
    ended: (ctx, end) =>
      void ctx.state.log.push(`${end.key[1]} ${end.state} ${end.error?.code ?? (end.result as string)}`),
  })
}

async function run(
  kit: TestSystem,
  children: SupervisionOptions,
  job: (ctx: RunContext, name: string) => Promise<string>,
  names: readonly string[],
): Promise<string[]> {
  const definition: RunDefinition = runActor(Job, (ctx, { name }) => job(ctx, name))
  await kit.node('a', boss(children), definition)
  const ref = kit.reach().ref(Boss, 'b')
  for (const name of names) await kit.clock.settle(ref.tell('start', { name }))
  await kit.settled()
  return (await kit.clock.settle(ref.ask('log', {}))) as string[]
}

suite('children that crash', ({ test }) => {
  test('restart is a new attempt after a back-off', async () => {
    const kit = testSystem()
    const attempts: [number, boolean][] = []
    const at: number[] = []
    const log = await run(
      kit,
      { backoff: ['1s', '1s'] },
      async (ctx) => {
        attempts.push([ctx.attempt, ctx.resumed])
        at.push(ctx.now())
        if (ctx.attempt === 1) throw new Error('stumbled')
        return 'well'
      },
      ['j'],
    )
    assert.equal(log, ['j done well'])
    assert.equal(attempts, [
      [1, false],
      [2, true],
    ])
    assert.ok(at[1]! - at[0]! >= 500, 'not before its back-off')
    await kit.close()
  })

  test('resume goes on as the same attempt and knows that it ran before', async () => {
    const kit = testSystem()
    const seen: string[] = []
    const log = await run(
      kit,
      { decide: () => 'resume', backoff: ['10ms', '10ms'] },
      async (ctx) => {
        seen.push(`${ctx.attempt} ${ctx.resumed}`)
        if (!ctx.resumed) throw new Error('stumbled')
        return 'well'
      },
      ['j'],
    )
    assert.equal(log, ['j done well'])
    assert.equal(seen, ['1 false', '1 true'])
    await kit.close()
  })

  test('stop fails it at once, and so does a declared refusal', async () => {
    const kit = testSystem()
    let starts = 0
    const job = async (_ctx: RunContext, name: string): Promise<string> => {
      starts++
      if (name === 'refused') throw refuse('TOOL_DENIED')
      throw new Error('broken')
    }
    assert.equal(await run(kit, { decide: () => 'stop' }, job, ['refused', 'broken']), [
      'refused failed TOOL_DENIED',
      'broken failed CRASHED',
    ])
    assert.is(starts, 2)
    await kit.close()
  })

  test('what crashes again and again is given up after its restarts', async () => {
    const kit = testSystem()
    let starts = 0
    const job = async (): Promise<string> => {
      starts++
      throw new Error('broken')
    }
    assert.equal(await run(kit, { restarts: 3, backoff: ['10ms', '20ms'] }, job, ['j']), ['j failed GAVE_UP'])
    assert.is(starts, 4)
    await kit.close()
  })

  test('escalate fails it, stops its siblings and puts the parent down', async () => {
    const kit = testSystem()
    const gate = new Gate()
    const job = async (ctx: RunContext, name: string): Promise<string> => {
      if (name === 'sibling') await gate.pass(ctx)
      throw new Error('worse')
    }
    const log = await run(kit, { decide: () => 'escalate' }, job, ['sibling', 'bad'])
    assert.equal(log.toSorted(), ['bad failed CRASHED', 'sibling stopped CANCELLED'])
    await kit.close()
  })

  test('an outage of the database counts no restart', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    let starts = 0
    const job = async (ctx: RunContext): Promise<string> => {
      if (++starts === 1) kit.database.cut('a')
      await ctx.sql((sql) => sql.query('get', ['x']))
      return 'well'
    }
    kit.clock.setTimeout(() => kit.database.heal('a'), 5_000)
    const definition = runActor(Job, (ctx) => job(ctx))
    await kit.node('a', boss({ restarts: 0 }), definition)
    const ref = kit.reach().ref(Boss, 'b')
    await kit.clock.settle(ref.tell('start', { name: 'j' }))
    await kit.clock.advance(20_000)
    await kit.settled()
    assert.equal(await kit.clock.settle(ref.ask('log', {})), ['j done well'])
    assert.ok(starts >= 2)
    await kit.close()
  })
})
