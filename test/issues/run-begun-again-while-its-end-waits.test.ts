import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { actor, runActor } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Job = spawned('job', z.object({}), z.string())
const Boss = contract('boss', {
  start: tell(z.object({})),
  note: tell(z.object({})),
  log: ask(z.object({}), z.array(z.string()), { within: '1m' }),
})

/**
 * The order forced here: a run ends while the database is away; its parent's other steps are in doubt, so unfinished runs
 * are looked up: the run's row still says running, and its end lies in the mailbox.
 */
suite('a run whose end waits for the database', ({ test }) => {
  test('is not begun again, and ends once', async () => {
    const kit = testSystem({ storeLatencyMs: 5 })
    let starts = 0
    let finish = (): void => {}
    const job = runActor(Job, async () => {
      starts++
      await new Promise<void>((resolve) => (finish = resolve))
      return 'well'
    })
    const boss = actor(Boss, {
      state: { version: 1, initial: () => ({ log: [] as string[] }) },
      on: {
        start: (ctx) => ctx.spawn(Job, ['b', 'j'], {}),
        note: (ctx) => void ctx.state.log.push('note'),
        log: (ctx) => ctx.state.log,
      },
      ended: (ctx, end) => void ctx.state.log.push(`${end.state} ${end.result as string}`),
    })
    await kit.node('a', boss, job)
    const ref = kit.reach().ref(Boss, 'b')
    await kit.clock.settle(ref.confirm('start', {}))
    await kit.clock.advance(100)
    kit.database.faults.lostAnswerRate = 1
    await kit.clock.settle(ref.tell('note', {}))
    await kit.clock.advance(20)
    finish()
    await kit.clock.advance(2_000)
    kit.database.faults.lostAnswerRate = 0
    await kit.settled()
    assert.equal(await kit.clock.settle(ref.ask('log', {})), ['note', 'done well'])
    assert.is(starts, 1)
    assert.is(kit.database.runs.get('acme/job/b--j')?.state, 'done')
    await kit.close()
  })

  test('whose parent cannot take it is over all the same: a dead letter, and no run for the next holder', async () => {
    const kit = testSystem({ limits: { attempts: 2, leaseMs: 2_000 } })
    let starts = 0
    const job = runActor(Job, async () => {
      starts++
      return 'well'
    })
    const boss = actor(Boss, {
      state: { version: 1, initial: () => ({ log: [] as string[] }) },
      on: { start: (ctx) => ctx.spawn(Job, ['b', 'j'], {}), note: () => {}, log: (ctx) => ctx.state.log },
      ended: () => {
        throw new Error('cannot')
      },
    })
    await kit.node('a', boss, job)
    await kit.clock.settle(kit.reach().ref(Boss, 'b').confirm('start', {}))
    await kit.settled()
    assert.equal(
      [...kit.database.letters.values()].map((letter) => letter.code),
      ['GAVE_UP'],
    )
    kit.kill('a')
    await kit.node('b', boss, job)
    await kit.clock.advance(10_000)
    assert.is(starts, 1)
    await kit.close()
  })
})
