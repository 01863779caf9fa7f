import { z } from 'zod'
import { ask, contract, pool, spawned, stream, tell } from '#shared/actor/contract.ts'
import { actor, poolActor, runActor } from '#shared/actor/definition.ts'
import type { PoolContext } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Gate, Nothing, failure } from './rig.ts'

const Shop = contract('shop', {
  sell: ask(Nothing, z.number(), { within: '2s', fails: ['BLOCKED'] }),
  list: stream(z.object({ count: z.number() }), z.number(), { within: '2s' }),
  slow: ask(Nothing, z.string(), { within: '10s' }),
})
const shop = actor(Shop, {
  state: { version: 1, initial: () => ({ sold: 0 }) },
  on: {
    sell: (ctx) => ++ctx.state.sold,
    list: (_ctx, { count }) => Array.from({ length: count }, (_, index) => index),
    slow: async (ctx) => {
      await (await ctx.sql()).query('get', ['x'])
      return 'done'
    },
  },
})

suite('asking one actor', ({ test }) => {
  test('a stream brings its items in order and ends', async () => {
    const kit = testSystem()
    await kit.node('a', shop)
    const items: number[] = []
    const read = async (): Promise<void> => {
      for await (const item of kit.reach().ref(Shop, 's').stream('list', { count: 5 })) items.push(item)
    }
    await kit.clock.settle(read())
    assert.equal(items, [0, 1, 2, 3, 4])
    await kit.close()
  })

  test('one cancelled while it waits is withdrawn; one that is done says so', async () => {
    const kit = testSystem({ storeLatencyMs: 100 })
    await kit.node('a', shop)
    const ref = kit.reach().ref(Shop, 's')
    const first = new AbortController()
    const second = new AbortController()
    const atWork = ref.ask('slow', {}, { signal: first.signal })
    const waiting = ref.ask('sell', {}, { signal: second.signal })
    await kit.clock.advance(150)
    first.abort()
    second.abort()
    const [one, other] = await Promise.all([failure(kit, atWork), failure(kit, waiting)])
    assert.equal([one.code, one.details['outcome']], ['CANCELLED', 'completed'])
    assert.equal([other.code, other.details['outcome']], ['CANCELLED', 'stopped'])
    assert.is(await kit.clock.settle(ref.ask('sell', {})), 1, 'the withdrawn one was not done')
    await kit.close()
  })

  test('what waited in the mailbox beyond its deadline is not begun', async () => {
    const kit = testSystem({ storeLatencyMs: 400 })
    await kit.node('a', shop)
    const ref = kit.reach().ref(Shop, 's')
    const slow = ref.ask('slow', {})
    const late = failure(kit, ref.ask('sell', {}, { within: '500ms' }))
    assert.is((await late).code, 'DEADLINE')
    await kit.clock.settle(slow)
    assert.is(await kit.clock.settle(ref.ask('sell', {}, { within: '10s' })), 1)
    await kit.close()
  })

  test('calls beyond the mailbox of an actor are refused', async () => {
    const kit = testSystem({ storeLatencyMs: 50, limits: { calls: 3 } })
    await kit.node('a', shop)
    const ref = kit.reach().ref(Shop, 's')
    const answers = await kit.clock.settle(
      Promise.allSettled(Array.from({ length: 6 }, () => ref.ask('slow', {}, { within: '10s' }))),
    )
    const codes = answers.map((answer) => (answer.status === 'rejected' ? coded(answer.reason).code : 'done'))
    assert.equal(codes.toSorted(), ['MAILBOX_FULL', 'MAILBOX_FULL', 'MAILBOX_FULL', 'done', 'done', 'done'])
    await kit.close()
  })

  test('nobody there is told after the patience for a change of holders', async () => {
    const kit = testSystem({ limits: { leaseMs: 1_000 } })
    const started = kit.clock.elapsed()
    assert.is((await failure(kit, kit.reach().ref(Shop, 's').ask('sell', {}, { within: '1m' }))).code, 'UNREACHABLE')
    const waited = kit.clock.elapsed() - started
    assert.ok(waited >= 2_000 && waited < 4_000, String(waited))
    await kit.close()
  })

  test('a caller who has heard a higher epoch does not hear the lower one any more', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000, handoverMs: 500 } })
    await kit.node('a', shop)
    const ref = kit.reach().ref(Shop, 's')
    assert.is(await kit.clock.settle(ref.ask('sell', {})), 1)
    kit.pause('a')
    await kit.node('b', shop)
    await kit.clock.advance(10_000)
    const answer = ref.ask('sell', {}, { within: '30s' })
    assert.is(await kit.clock.settle(answer), 2)
    const question = ref.ask('sell', {}, { within: '30s' })
    kit.resume('a')
    assert.is(await kit.clock.settle(question), 3)
    await kit.close()
  })

  test('an ask whose fate is unknown does not come true later, over what was done since', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    await kit.node('a', shop)
    const ref = kit.reach().ref(Shop, 's')
    assert.is(await kit.clock.settle(ref.ask('sell', {})), 1)
    // Its commit fails now and happens three seconds later.
    Object.assign(kit.database.faults, { lateRate: 1, lateMs: 3_000 })
    assert.is((await failure(kit, ref.ask('sell', {}))).code, 'DATABASE_DOWN')
    Object.assign(kit.database.faults, { lateRate: 0 })
    for (const expected of [2, 3, 4])
      assert.is(await kit.clock.settle(ref.ask('sell', {}, { within: '10s' })), expected)
    await kit.clock.advance(10_000)
    assert.equal(kit.database.states.get('acme/shop/s')?.value, { sold: 4 })
    await kit.close()
  })

  test('presence is proved through the mailbox', async () => {
    const kit = testSystem()
    await kit.node('a', shop)
    const presence = await kit.clock.settle(kit.reach().ref(Shop, 's').probe())
    assert.equal(presence, { node: 'a', epoch: 1, mailbox: 0, children: [] })
    await kit.close()
  })
})

const Echo = pool('echo', {
  say: ask(z.object({ text: z.string() }), z.string(), { within: '2s', fails: ['BLOCKED'] }),
  count: stream(z.object({ to: z.number() }), z.number(), { within: '2s' }),
})
type Say = (ctx: PoolContext, input: { text: string }) => string | Promise<string>
type Count = (ctx: PoolContext, input: { to: number }) => AsyncIterable<number>
async function* nothing(): AsyncGenerator<number> {}
const echo = (say: Say, count: Count = nothing, concurrency = 64, queue = 1_024): ReturnType<typeof poolActor> =>
  poolActor(Echo, { on: { say, count }, concurrency, queue })

suite('asking a pool', ({ test }) => {
  test('a full queue refuses at once', async () => {
    const kit = testSystem()
    const gate = new Gate()
    await kit.node(
      'a',
      echo(async (ctx) => (await gate.pass(ctx), 'well'), nothing, 1, 1),
    )
    const ref = kit.reach().pool(Echo, 'main')
    const asked = [1, 2, 3].map(() => ref.ask('say', { text: 'x' }).catch((error: unknown) => coded(error).code))
    await kit.clock.advance(10)
    gate.open()
    assert.equal((await kit.clock.settle(Promise.all(asked))).toSorted(), ['OVERLOADED', 'well', 'well'])
    await kit.close()
  })

  for (const where of ['elsewhere', 'in this process']) {
    test(`what is cancelled or late while it waits is not begun (${where})`, async () => {
      const kit = testSystem()
      const gate = new Gate()
      const node = await kit.node(
        'a',
        echo(async () => (await gate.deaf, 'well'), nothing, 1),
      )
      const reach = where === 'elsewhere' ? kit.reach() : node.reach({ ...kit.reach().principal })
      const ref = reach.pool(Echo, 'main')
      const first = ref.ask('say', { text: 'x' }, { within: '1m' })
      const controller = new AbortController()
      const cancelled = codeOf(ref.ask('say', { text: 'x' }, { signal: controller.signal }))
      await kit.clock.advance(10)
      controller.abort()
      assert.is(await kit.clock.settle(cancelled), 'CANCELLED')
      const started = kit.clock.elapsed()
      assert.is((await failure(kit, ref.ask('say', { text: 'x' }, { within: '300ms' }))).code, 'DEADLINE')
      assert.ok(kit.clock.elapsed() - started < 400, 'the caller does not wait longer than its deadline')
      gate.open()
      assert.is(await kit.clock.settle(first), 'well')
      await kit.clock.advance(100)
      assert.is(gate.reached, 1)
      await kit.close()
    })

    test(`one at work hears that it was cancelled (${where})`, async () => {
      const kit = testSystem()
      const heard: string[] = []
      const gate = new Gate()
      const node = await kit.node(
        'a',
        echo(async (ctx) => {
          await gate.pass(ctx).catch(() => heard.push(coded(ctx.signal.reason).code))
          return 'well'
        }),
      )
      const reach = where === 'elsewhere' ? kit.reach() : node.reach({ ...kit.reach().principal })
      const controller = new AbortController()
      const asked = codeOf(reach.pool(Echo, 'main').ask('say', { text: 'x' }, { signal: controller.signal }))
      await kit.clock.advance(10)
      controller.abort()
      assert.is(await kit.clock.settle(asked), 'CANCELLED')
      assert.is(heard.length, 1)
      await kit.close()
    })
  }

  test('a stream is numbered, and its reader can leave it', async () => {
    const kit = testSystem()
    let left = false
    const count: Count = async function* (ctx, { to }) {
      try {
        for (let n = 0; n < to; n++) {
          yield n
          if (n === 2) await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
        }
      } finally {
        left = true
      }
    }
    await kit.node(
      'a',
      echo(() => '', count),
    )
    const items: number[] = []
    const read = async (): Promise<void> => {
      for await (const item of kit.reach().pool(Echo, 'main').stream('count', { to: 10 })) {
        items.push(item)
        if (items.length === 3) return
      }
    }
    await kit.clock.settle(read())
    await kit.clock.advance(10)
    assert.equal([items, left], [[0, 1, 2], true])
    await kit.close()
  })

  test('a stream ends with its deadline, at both ends', async () => {
    const kit = testSystem()
    let ended = ''
    const count: Count = async function* (ctx) {
      yield 0
      await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()))
      ended = coded(ctx.signal.reason).code
    }
    await kit.node(
      'a',
      echo(() => '', count),
    )
    const read = async (): Promise<void> => {
      for await (const item of kit.reach().pool(Echo, 'main').stream('count', { to: 10 })) assert.is(item, 0)
    }
    assert.is((await failure(kit, read())).code, 'DEADLINE')
    await kit.clock.advance(10)
    assert.ok(['DEADLINE', 'CANCELLED'].includes(ended), ended)
    await kit.close()
  })

  test('a reader who is too slow is told, and holds no more than its buffer', async () => {
    const kit = testSystem()
    const count: Count = async function* () {
      for (let n = 0; n < 11_000; n++) yield n
    }
    await kit.node(
      'a',
      echo(() => '', count),
    )
    const items = kit.reach().pool(Echo, 'main').stream('count', { to: 0 })[Symbol.asyncIterator]()
    const first = items.next()
    await kit.clock.advance(50)
    await first
    const rest = async (): Promise<void> => {
      for (;;) if ((await items.next()).done === true) return
    }
    assert.is((await failure(kit, rest())).code, 'OVERLOADED')
    await kit.close()
  })
})

const Left = pool('left', { go: ask(z.object({ hops: z.number() }), z.number(), { within: '5s' }) })
const Right = pool('right', { go: ask(z.object({ hops: z.number() }), z.number(), { within: '5s' }) })
const Loop = contract('loop', { go: tell(z.object({ hops: z.number() })), hops: ask(Nothing, z.number()) })
const Asker = spawned('asker', Nothing, z.number())
const Parent = contract('parent', {
  go: tell(Nothing),
  value: ask(Nothing, z.number()),
  answers: ask(Nothing, z.array(z.string())),
})

suite('who asks whom', ({ test }) => {
  test('asking one who waits for this very answer fails at once', async () => {
    const kit = testSystem()
    const left = poolActor(Left, { on: { go: (ctx, input) => ctx.reach.pool(Right, 'r').ask('go', input) } })
    const right = poolActor(Right, { on: { go: (ctx, input) => ctx.reach.pool(Left, 'l').ask('go', input) } })
    await kit.node('a', left, right)
    assert.is((await failure(kit, kit.reach().pool(Left, 'l').ask('go', { hops: 0 }))).code, 'CALLS_ANCESTOR')
    await kit.close()
  })

  test('a chain through too many is a loop', async () => {
    const kit = testSystem()
    let reached = 0
    const left = poolActor(Left, {
      on: {
        go: (ctx, { hops }) => {
          reached = Math.max(reached, hops)
          return ctx.reach.pool(Left, `l${hops + 1}`).ask('go', { hops: hops + 1 })
        },
      },
    })
    await kit.node('a', left)
    assert.is((await failure(kit, kit.reach().pool(Left, 'l0').ask('go', { hops: 0 }))).code, 'TOO_MANY_HOPS')
    assert.is(reached, 16)
    await kit.close()
  })

  test('commands that go round are dead letters after as many hops', async () => {
    const kit = testSystem()
    const loop = actor(Loop, {
      state: { version: 1, initial: () => ({ hops: 0 }) },
      on: {
        go: (ctx, { hops }) => {
          ctx.state.hops = hops
          ctx.tell(Loop, `k${(hops + 1) % 3}`, 'go', { hops: hops + 1 })
        },
        hops: (ctx) => ctx.state.hops,
      },
    })
    await kit.node('a', loop)
    await kit.clock.settle(kit.reach().ref(Loop, 'k0').tell('go', { hops: 0 }))
    await kit.settled()
    assert.equal(
      [...kit.database.letters.values()].map((letter) => letter.code),
      ['TOO_MANY_HOPS'],
    )
    await kit.close()
  })

  test('a run may ask its parent, which does not wait for it', async () => {
    const kit = testSystem()
    const asker = runActor(Asker, (ctx) => ctx.reach.ref(Parent, 'p').ask('value', {}))
    const parent = actor(Parent, {
      state: { version: 1, initial: () => ({ answers: [] as string[] }) },
      on: {
        go: (ctx) => ctx.spawn(Asker, ['p', 'r'], {}),
        value: () => 42,
        answers: (ctx) => ctx.state.answers,
      },
      ended: (ctx, end) => void ctx.state.answers.push(`${end.state} ${end.error?.code ?? (end.result as number)}`),
    })
    await kit.node('a', parent, asker)
    await kit.clock.settle(kit.reach().ref(Parent, 'p').tell('go', {}))
    await kit.settled()
    assert.equal(await kit.clock.settle(kit.reach().ref(Parent, 'p').ask('answers', {})), ['done 42'])
    await kit.close()
  })
})
