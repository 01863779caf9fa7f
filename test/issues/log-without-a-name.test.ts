import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'
import { poolActor } from '#shared/actor/definition.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Names = pool('names', { incarnation: ask(z.object({}), z.string(), { within: '1s' }) })

suite('a node whose database is slow when it starts', ({ test }) => {
  test('tells nobody the name of a log that it does not know yet', async () => {
    const kit = testSystem({ storeLatencyMs: 400 })
    const made: { node: ActorSystem | null } = { node: null }
    made.node = kit.make('a', [poolActor(Names, { on: { incarnation: () => made.node?.incarnation ?? '' } })])
    const started = made.node.start()
    const answers: string[] = []
    const refusals = new Set<string>()
    for (let asked = 0; answers.length === 0 && asked < 200; asked++) {
      await kit.clock.settle(
        kit
          .reach()
          .pool(Names, 'main')
          .ask('incarnation', {})
          .then(
            (name) => answers.push(name),
            (error: unknown) => refusals.add(coded(error).code),
          ),
      )
      await kit.clock.advance(20)
    }
    await kit.clock.settle(started)
    assert.ok(answers[0] !== undefined && answers[0] !== '', `it said ${JSON.stringify(answers[0])}`)
    assert.equal([...refusals], ['UNREACHABLE'])
    await kit.close()
  })
})
