import { z } from 'zod'
import { contract, spawned, tell } from '#shared/actor/contract.ts'
import { actor, runActor } from '#shared/actor/definition.ts'
import type { Definition } from '#shared/actor/definition.ts'
import { WINDOW_MS } from '#shared/actor/log-share.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Talk = contract('talk', {
  say: tell(z.object({ bytes: z.number() }), { begins: true }),
  stop: tell(z.object({ bytes: z.number() })),
  speak: tell(z.object({ bytes: z.number() })),
})
const Speech = spawned('speech', z.object({ bytes: z.number() }), z.object({}))

const LIMIT = 100_000

/** A fact of so many bytes, and for `speak` a run that says pieces and then a fact. */
const definitions: readonly Definition[] = [
  actor(Talk, {
    state: { version: 1, initial: () => ({}) },
    on: {
      say: (ctx, { bytes }) => ctx.emit('fact', 'x'.repeat(bytes), { audience: 'pub' }),
      stop: (ctx, { bytes }) => ctx.emit('fact', 'x'.repeat(bytes), { audience: 'pub' }),
      speak: (ctx, input) => ctx.spawn(Speech, [ctx.key[0]!, ctx.newId()], input),
    },
  }),
  runActor(Speech, async (ctx, { bytes }) => {
    ctx.emit('piece', 'x'.repeat(bytes), { audience: 'pub', volatile: true })
    ctx.emit('whole', 'x'.repeat(bytes), { audience: 'pub' })
    await ctx.flushed()
    return {}
  }),
]

const told = (kit: TestSystem, name: string, bytes: number, tenant = 'acme', key = 'k'): Promise<void> =>
  kit.clock.settle(
    kit
      .reach(tenant)
      .ref(Talk, key)
      .tell(name as 'say', { bytes }),
  )
const facts = async (kit: TestSystem, tenant = 'acme'): Promise<number> =>
  (await kit.log(tenant)).filter(({ event }) => event.type === 'fact').length

suite("a tenant's share of the log", ({ test }) => {
  test('new work is refused once it is spent, with the time to wait; another tenant is not concerned', async () => {
    const kit = testSystem({ limits: { tenantLogBytes: LIMIT } })
    await kit.node('a', ...definitions)
    await told(kit, 'say', 60_000)
    await told(kit, 'say', 60_000)
    await kit.settled()
    assert.is(await codeOf(told(kit, 'say', 1)), 'LOG_QUOTA')
    await told(kit, 'say', 1, 'globex')
    await kit.settled()
    assert.equal([await facts(kit), await facts(kit, 'globex')], [2, 1])
    assert.ok(
      kit.journal.every(({ event }) => !('limit' in event) || event.tenant === 'acme'),
      'nobody else hit a limit',
    )
    await kit.close()
  })

  test('what was accepted goes out whole, and what is no new work is heard still', async () => {
    const kit = testSystem({ limits: { tenantLogBytes: LIMIT } })
    await kit.node('a', ...definitions)
    for (let n = 0; n < 6; n++) await kit.clock.settle(kit.reach().ref(Talk, `k${n}`).tell('say', { bytes: 50_000 }))
    await kit.settled()
    assert.is(await codeOf(told(kit, 'say', 1)), 'LOG_QUOTA')
    await told(kit, 'stop', 50_000)
    await kit.settled()
    assert.is(await facts(kit), 7)
    await kit.close()
  })

  test('pieces of a text are not written any more, its whole is', async () => {
    const kit = testSystem({ limits: { tenantLogBytes: LIMIT } })
    await kit.node('a', ...definitions)
    const saidOf = async (type: string): Promise<number> =>
      (await kit.log()).filter(({ event }) => event.type === type).length
    await told(kit, 'speak', 10_000)
    await kit.settled()
    assert.equal([await saidOf('piece'), await saidOf('whole')], [1, 1])
    await told(kit, 'stop', 100_000)
    await told(kit, 'speak', 10_000)
    await kit.settled()
    assert.equal([await saidOf('piece'), await saidOf('whole')], [1, 2])
    await kit.close()
  })

  test('several writers are added up, and the next hour is another share', async () => {
    const kit = testSystem({ limits: { tenantLogBytes: LIMIT } })
    await kit.node('a', ...definitions)
    await kit.node('b', ...definitions)
    await kit.settled()
    for (let n = 0; n < 12; n++) await kit.clock.settle(kit.reach().ref(Talk, `k${n}`).tell('stop', { bytes: 9_000 }))
    await kit.settled()
    assert.ok(
      [...kit.nodes.values()].every((node) => node.census().partitions > 0),
      'both write',
    )
    assert.is(await codeOf(told(kit, 'say', 1)), 'LOG_QUOTA')
    await kit.clock.advance(WINDOW_MS)
    await told(kit, 'say', 1)
    await kit.settled()
    assert.is(await facts(kit), 13)
    await kit.close()
  })

  test('a gateway that was started when it was spent already knows', async () => {
    const kit = testSystem({ limits: { tenantLogBytes: LIMIT } })
    await kit.node('a', ...definitions)
    await told(kit, 'stop', 120_000)
    await kit.settled()
    assert.is(await codeOf(told(kit, 'say', 1)), 'LOG_QUOTA')
    await kit.close()
  })
})
