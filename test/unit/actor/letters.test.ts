/** Every way of failing ends in the store with payload, error, attempts, history and trace, is counted, and is told. */
import { z } from 'zod'
import { ask, contract, spawned, tell } from '#shared/actor/contract.ts'
import { actor, runActor } from '#shared/actor/definition.ts'
import { BRIDGE_MAX_DELIVERIES, INBOUND, OUTBOUND, UNDELIVERED, bridgeConsumer } from '#shared/actor/streams.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import type { DeadLetter } from '#shared/actor/store.ts'
import { decodeEnvelope, encodeEnvelope } from '#shared/wire/envelope.ts'
import { partitionOf } from '#shared/wire/subjects.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Job = spawned('job', z.object({ word: z.string() }), z.string())
const Box = contract('box', {
  put: tell(z.object({ n: z.number() })),
  late: tell(z.object({})),
  start: tell(z.object({ word: z.string() })),
  forward: tell(z.object({ bytes: z.number() })),
  seen: ask(z.object({}), z.array(z.string())),
})

interface Moods {
  put?: boolean
  timer?: boolean
  ended?: boolean
  job?: boolean
}

/** An actor that fails in the ways its moods say. */
function rig(moods: Moods) {
  const fail = (mood: keyof Moods): void => {
    if (moods[mood] === true) throw new Error(`${mood} fails`)
  }
  return [
    actor(Box, {
      state: { version: 1, initial: () => ({ seen: [] as string[] }) },
      children: { restarts: 2, within: '1m', backoff: ['10ms', '20ms'] },
      on: {
        put: (ctx, { n }) => {
          fail('put')
          ctx.state.seen.push(`put ${n}`)
        },
        late: (ctx) => ctx.remind('bell', ctx.now + 1_000, { rings: 3 }),
        start: (ctx, { word }) => ctx.spawn(Job, [ctx.key[0]!, ctx.newId()], { word }),
        forward: (ctx, { bytes }) => ctx.tell(Box, 'other', 'start', { word: 'x'.repeat(bytes) }),
        seen: (ctx) => ctx.state.seen,
      },
      timers: {
        bell: (ctx, payload) => {
          fail('timer')
          ctx.state.seen.push(`bell ${JSON.stringify(payload)}`)
        },
      },
      ended: (ctx, end) => {
        fail('ended')
        ctx.state.seen.push(`${end.state} ${typeof end.result === 'string' ? end.result : end.error?.code}`)
      },
      again: (ctx, child) => {
        const { word } = child.input as { word: string }
        ctx.spawn(Job, [ctx.key[0]!, ctx.newId()], { word })
      },
    }),
    runActor(Job, (_ctx, { word }) => {
      if (moods.job === true) throw new Error(`job fails at ${word}`)
      return Promise.resolve(word)
    }),
  ] as const
}

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

async function world(moods: Moods, work: (kit: TestSystem, moods: Moods) => Promise<void>): Promise<void> {
  const kit = testSystem({ limits: { attempts: 3, relayGiveUpMs: 2_000, ackWaitMs: 5_000 } })
  await kit.node('a', ...rig(moods))
  await work(kit, moods)
  await kit.close()
}

const box = (kit: TestSystem) =>
  kit.edge().reach({ tenant: 'acme', user: 'ada', roles: [], scopes: [], credential: '' }, TRACE).ref(Box, 'b')

/** The only letter there is, which must have everything; that it was counted and told. */
async function only(kit: TestSystem, kind = 'box'): Promise<DeadLetter> {
  await kit.settled()
  const [letter, ...others] = [...kit.database.letters.values()]
  assert.ok(letter, 'there is a letter')
  assert.is(others.length, 0, 'and no other')
  assert.ok(letter.payload.byteLength > 0, 'its payload')
  assert.ok(letter.code !== '' && letter.message !== '', 'its error')
  assert.ok(letter.attempts >= 1, 'its attempts')
  assert.ok(letter.history.length >= 1 && letter.history.every((each) => each.code !== ''), 'its history')
  assert.is(letter.trace, TRACE, 'its trace')
  const counted = kit.journal.filter(({ name }) => name === 'letter:buried').map(({ event }) => event)
  assert.equal(counted, [{ tenant: 'acme', kind, code: letter.code }])
  const told = (await kit.log()).filter(({ event }) => event.type === 'letter:buried')
  assert.is(told.length, 1)
  assert.ok(told[0]!.counts)
  assert.is((told[0]!.event.payload as { letterId: string }).letterId, letter.id)
  assert.is(told[0]!.audience, 'ops')
  return letter
}

/** Sends a letter again as the directory does. */
async function replay(kit: TestSystem, letter: DeadLetter, edit?: (payload: never) => unknown): Promise<void> {
  const envelope = decodeEnvelope(letter.payload)
  const payload = edit === undefined ? envelope.payload : edit(envelope.payload as never)
  const bytes = encodeEnvelope({ ...envelope, id: `replay-${letter.id}`, payload, chain: [], at: kit.clock.now() })
  const transport = kit.broker.connect('replayer')
  await kit.clock.settle(transport.append(letter.subject, bytes, { messageId: `replay-${letter.id}` }))
  await kit.clock.settle(transport.close())
  await kit.settled()
}

const seen = async (kit: TestSystem): Promise<string[]> => await kit.clock.settle(box(kit).ask('seen', {}))

suite('a dead letter', ({ test }) => {
  test('of a command that fails each time has every failure, and is done when it is replayed', () =>
    world({ put: true }, async (kit, moods) => {
      await kit.clock.settle(box(kit).tell('put', { n: 1 }))
      const letter = await only(kit)
      assert.equal([letter.code, letter.attempts], ['GAVE_UP', 3])
      assert.equal(
        letter.history.map((each) => each.message),
        Array.from({ length: 3 }, () => 'The handler failed. put fails'),
      )
      moods.put = false
      await replay(kit, letter, ({ n }: { n: number }) => ({ n: n + 1 }))
      assert.equal(await seen(kit), ['put 2'])
    }))

  test('of a reminder rings when it is replayed', () =>
    world({ timer: true }, async (kit, moods) => {
      await kit.clock.settle(box(kit).tell('late', {}))
      await kit.settled()
      await kit.clock.advance(30_000)
      const [letter] = [...kit.database.letters.values()]
      assert.is(letter?.code, 'GAVE_UP')
      assert.equal(decodeEnvelope(letter!.payload).payload, { name: 'bell', payload: { rings: 3 } })
      moods.timer = false
      await replay(kit, letter!)
      assert.equal(await seen(kit), ['bell {"rings":3}'])
    }))

  test('of the end of a child is heard when it is replayed', () =>
    world({ ended: true }, async (kit, moods) => {
      await kit.clock.settle(box(kit).tell('start', { word: 'hi' }))
      const letter = await only(kit)
      assert.is(letter.code, 'GAVE_UP')
      assert.is(decodeEnvelope(letter.payload).type, '$ended')
      moods.ended = false
      await replay(kit, letter)
      assert.equal(await seen(kit), ['done hi'])
    }))

  test('of a run that crashed past its restarts has each crash, and begins anew with an edited input', () =>
    world({ job: true }, async (kit, moods) => {
      await kit.clock.settle(box(kit).tell('start', { word: 'hi' }))
      const letter = await only(kit)
      assert.equal([letter.code, letter.attempts], ['GAVE_UP', 3])
      assert.equal(
        letter.history.map((each) => each.message),
        Array.from({ length: 3 }, () => 'The handler failed. job fails at hi'),
      )
      assert.equal(await seen(kit), ['failed GAVE_UP'])
      moods.job = false
      await replay(kit, letter, (child: { input: { word: string } }) => ({ ...child, input: { word: 'ho' } }))
      assert.equal(await seen(kit), ['failed GAVE_UP', 'done ho'])
    }))

  test('of a command whose handler says more than a message may hold is there at once', () =>
    world({}, async (kit) => {
      await kit.clock.settle(box(kit).tell('forward', { bytes: 1_100_000 }))
      const letter = await only(kit)
      assert.equal([letter.code, letter.attempts], ['TOO_LARGE', 1])
      assert.match(letter.subject, /\.box\.b$/)
    }))

  test('of bytes that nobody can read is told of where its subject can be read', async () => {
    await world({}, async (kit) => {
      const transport = kit.broker.connect('outside')
      const subject = `t.acme.cmd.${partitionOf('acme', 'box', 'b', Box.partitions)}.box.b`
      await kit.clock.settle(transport.append(subject, new Uint8Array([7, 7]), { messageId: 'odd' }))
      await kit.clock.settle(transport.close())
      await kit.settled()
      const [letter] = [...kit.database.letters.values()]
      assert.equal([letter?.code, letter?.history.length], ['UNDECODABLE', 1])
      assert.is(kit.journal.filter(({ name }) => name === 'letter:buried').length, 1)
      assert.is((await kit.log()).filter(({ event }) => event.type === 'letter:buried').length, 1)
    })
  })
})

suite('a message of a bridge that nobody acknowledges', ({ test }) => {
  for (const [stream, lane] of [
    [INBOUND, 'in'],
    [OUTBOUND, 'out'],
  ] as const) {
    test(`on ${stream} is a dead letter after its deliveries, and out of the stream`, () =>
      world({}, async (kit) => {
        const bridge = kit.broker.connect('bridge')
        const subject = `t.acme.${lane}.slack.c7`
        let deliveries = 0
        const spec = bridgeConsumer(stream, 'bridge', `t.acme.${lane}.slack.*`, 1_000)
        const consumption = await kit.clock.settle(
          bridge.consume(spec, (delivery) => {
            if (delivery.subject === subject) deliveries++
            else delivery.ack()
          }),
        )
        await kit.clock.settle(bridge.append(subject, new Uint8Array([1, 2]), { messageId: 'm1' }))
        await kit.clock.settle(bridge.append(`t.acme.${lane}.slack.c8`, new Uint8Array([3]), { messageId: 'm2' }))
        await kit.clock.advance(60_000)
        const [letter, ...others] = [...kit.database.letters.values()]
        assert.is(others.length, 0)
        assert.equal(
          [letter?.code, letter?.attempts, letter?.subject, [...(letter?.payload ?? [])]],
          ['UNDELIVERED', BRIDGE_MAX_DELIVERIES, subject, [1, 2]],
        )
        assert.is(deliveries, BRIDGE_MAX_DELIVERIES)
        assert.equal(kit.journal.filter(({ name }) => name === 'letter:buried').length, 1)
        assert.is((await kit.log()).filter(({ event }) => event.type === 'letter:buried').length, 1)
        assert.is((await kit.clock.settle(bridge.streamInfo(stream))).messages, 0)
        assert.is((await kit.clock.settle(bridge.streamInfo(UNDELIVERED))).messages, 0)
        await kit.clock.settle(consumption.stop())
        await kit.clock.settle(bridge.close())
      }))
  }
})
