import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import type { Context } from '#shared/actor/definition.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import type { TestSystem } from '#shared/actor/testkit/test-system.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { encodeEnvelope } from '#shared/wire/envelope.ts'
import type { Envelope } from '#shared/wire/envelope.ts'
import { commandSubject, partitionOf } from '#shared/wire/subjects.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Nothing, failure } from './rig.ts'

const Box = contract(
  'box',
  {
    put: tell(z.object({ n: z.number() }), { fails: ['BLOCKED'] }),
    brief: tell(z.object({ n: z.number() }), { expires: '1s' }),
    nothing: tell(Nothing),
    list: ask(Nothing, z.array(z.number()), { within: '30s' }),
  },
  { partitions: 1 },
)
interface BoxState {
  list: number[]
}
type Put = (ctx: Context<BoxState>, input: { n: number }) => unknown
const box = (put: Put, nothing: (ctx: Context<BoxState>) => unknown = () => {}): ReturnType<typeof actor> =>
  actor(Box, {
    state: { version: 1, initial: (): BoxState => ({ list: [] }) },
    on: { put, brief: put, nothing, list: (ctx) => ctx.state.list },
  })
const plain = box((ctx, { n }) => void ctx.state.list.push(n))
const listOf = (kit: TestSystem, key = 'b', tenant = 'acme'): Promise<number[]> =>
  kit.clock.settle(kit.reach(tenant).ref(Box, key).ask('list', {})) as Promise<number[]>
const codes = (kit: TestSystem): string[] => [...kit.database.letters.values()].map((letter) => letter.code)

/** Puts a command on the stream as a publisher with other habits would. */
async function append(
  kit: TestSystem,
  data: Uint8Array | Partial<Envelope>,
  key = 'b',
  tenant = 'acme',
): Promise<void> {
  const envelope: Envelope = {
    id: 'raw',
    type: 'put',
    version: 1,
    tenant,
    from: 'client/ada',
    chain: [],
    deadline: 0,
    attempt: 1,
    epoch: 0,
    control: 0,
    principal: null,
    taint: [],
    trace: '',
    at: kit.clock.now(),
    receipt: '',
    payload: { n: 1 },
    ...(data instanceof Uint8Array ? {} : data),
  }
  const transport = kit.broker.connect('raw')
  const bytes = data instanceof Uint8Array ? data : encodeEnvelope(envelope)
  const subject = commandSubject(tenant, partitionOf(tenant, 'box', key, 1), 'box', key)
  await kit.clock.settle(transport.append(subject, bytes, { messageId: envelope.id }))
  await kit.clock.settle(transport.close())
}

suite('a mailbox', ({ test }) => {
  test('is bounded at the broker, for each actor by itself', async () => {
    const kit = testSystem({ limits: { mailbox: 3, window: 6 } })
    await kit.node(
      'a',
      box(async (ctx) => void (await (await ctx.sql()).query('get', ['x']))),
    )
    kit.database.pause('a')
    const ref = kit.reach().ref(Box, 'b')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.tell('put', { n }))
    assert.is((await failure(kit, ref.tell('put', { n: 4 }))).code, 'MAILBOX_FULL')
    await kit.clock.settle(kit.reach().ref(Box, 'other').tell('put', { n: 1 }))
    kit.database.resume('a')
    await kit.settled()
    await kit.clock.settle(ref.tell('put', { n: 4 }))
    await kit.settled()
    await kit.close()
  })

  test('commands of a tenant beyond its credit are refused at its publishers', async () => {
    const kit = testSystem({ limits: { tenantCredit: 10 } })
    const ref = (tenant: string, n: number): Promise<void> =>
      kit.clock.settle(kit.reach(tenant).ref(Box, `k${n}`).tell('put', { n }))
    const node = await kit.node('a', plain)
    await kit.clock.settle(node.stop())
    kit.forget('a')
    let refused = ''
    for (let n = 0; n < 30 && refused === ''; n++) {
      refused = await codeOf(ref('acme', n)).then((code) => (code === 'no error' ? '' : code))
      await kit.clock.advance(50)
    }
    assert.is(refused, 'TENANT_BUSY')
    await ref('globex', 1)
    await kit.node('b', plain)
    await kit.settled()
    await kit.clock.advance(1_000)
    await ref('acme', 99)
    await kit.settled()
    await kit.close()
  })

  test('two tenants with the same keys and the same client ids are apart', async () => {
    const kit = testSystem()
    await kit.node('a', plain)
    for (const [tenant, n] of [
      ['acme', 1],
      ['globex', 2],
    ] as const)
      await kit.clock.settle(kit.reach(tenant).ref(Box, 'b').tell('put', { n }, { id: 'client-1' }))
    await kit.clock.settle(kit.reach().ref(Box, 'c').tell('put', { n: 3 }, { id: 'client-1' }))
    await kit.settled()
    assert.equal([await listOf(kit), await listOf(kit, 'b', 'globex'), await listOf(kit, 'c')], [[1], [2], [3]])
    await kit.close()
  })

  test('the head blocks until it is done, and a failing one holds no worker meanwhile', async () => {
    const kit = testSystem({ limits: { handlers: 1, retryFirstMs: 1_000, retryMaxMs: 1_000 } })
    let failures = 2
    const stumbling = box((ctx, { n }) => {
      if (n === 1 && failures-- > 0) throw new Error('not yet')
      ctx.state.list.push(n)
    })
    await kit.node('a', stumbling)
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.tell('put', { n: 1 }))
    await kit.clock.settle(ref.tell('put', { n: 2 }))
    const started = kit.clock.elapsed()
    await kit.clock.settle(kit.reach().ref(Box, 'other').confirm('put', { n: 9 }))
    assert.ok(kit.clock.elapsed() - started < 400, 'another actor is served between its attempts')
    await kit.settled()
    assert.equal(await listOf(kit), [1, 2])
    await kit.close()
  })
})

suite('a refusal', ({ test }) => {
  test('undoes what the handler did, and says the same again', async () => {
    const kit = testSystem()
    const refusing = box(async (ctx, { n }) => {
      ctx.state.list.push(n)
      const sql = await ctx.sql()
      await sql.query('put', ['row', n])
      ctx.emit('box:put', { n }, { audience: 'pub' })
      ctx.remind('later', ctx.now + 1_000)
      if (n < 0) throw refuse('BLOCKED', { n })
    })
    await kit.node('a', refusing)
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.confirm('put', { n: 1 }))
    for (const id of ['same', 'same']) {
      const error = await failure(kit, ref.confirm('put', { n: -1 }, { id }))
      assert.equal([error.code, error.details['n'], error.expected], ['BLOCKED', -1, true])
    }
    assert.equal(await listOf(kit), [1])
    assert.is(kit.database.rows.get('acme/row'), 1)
    assert.is((await kit.log()).filter((entry) => entry.event.type === 'box:put').length, 1)
    assert.is(kit.database.timers.size, 1)
    await kit.close()
  })

  test('one that the contract does not declare is a crash', async () => {
    const kit = testSystem({ limits: { attempts: 2 } })
    await kit.node(
      'a',
      box(() => Promise.reject(refuse('BUSY'))),
    )
    assert.is((await failure(kit, kit.reach().ref(Box, 'b').confirm('put', { n: 1 }))).code, 'GAVE_UP')
    await kit.close()
  })
})

suite('a command is handled once', ({ test }) => {
  test('even one that leaves nothing behind', async () => {
    const kit = testSystem({ limits: { ackWaitMs: 2_000 } })
    let calls = 0
    await kit.node(
      'a',
      box(
        (ctx, { n }) => void ctx.state.list.push(n),
        () => void calls++,
      ),
    )
    kit.broker.faults.lostAckRate = 1
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.tell('nothing', {}))
    await kit.clock.settle(ref.tell('put', { n: 1 }))
    await kit.clock.advance(10_000)
    kit.broker.faults.lostAckRate = 0
    await kit.settled()
    assert.is(calls, 1)
    assert.equal(await listOf(kit), [1])
    await kit.close()
  })

  test('a receipt that nobody waited for the first time is said as accepted the second time', async () => {
    const kit = testSystem()
    await kit.node('a', plain)
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.tell('put', { n: 1 }, { id: 'x' }))
    await kit.settled()
    assert.is(await kit.clock.settle(ref.confirm('put', { n: 1 }, { id: 'x' })), null)
    assert.equal(await listOf(kit), [1])
    await kit.close()
  })

  test('a receipt goes to an inbox only, whatever the sender wrote', async () => {
    const kit = testSystem()
    await kit.node('a', plain)
    const heard: string[] = []
    const transport = kit.broker.connect('listener')
    transport.subscribe('t.>', (message) => void heard.push(message.subject))
    await append(kit, { id: 'r1', receipt: 't.globex.sig.box.b' })
    await kit.settled()
    assert.equal(
      heard.filter((subject) => subject.includes('globex')),
      [],
    )
    await kit.clock.settle(transport.close())
    await kit.close()
  })
})

suite('dead letters', ({ test }) => {
  const buried = async (send: (kit: TestSystem) => Promise<unknown>, definition = plain): Promise<string[]> => {
    const kit = testSystem({ limits: { attempts: 3 } })
    await kit.node('a', definition)
    await send(kit)
    await kit.settled()
    await kit.clock.settle(kit.reach().ref(Box, 'b').tell('put', { n: 7 }, { id: 'after' }))
    await kit.settled()
    const [letter] = [...kit.database.letters.values()]
    assert.ok(letter !== undefined && letter.payload.byteLength > 0 && letter.history.length > 0)
    const found = codes(kit)
    await kit.close()
    return found
  }

  test('bytes that mean nothing', async () => {
    assert.equal(await buried((kit) => append(kit, new Uint8Array([1, 2, 3]))), ['UNDECODABLE'])
  })
  test('an envelope of another tenant than its subject', async () => {
    assert.equal(await buried((kit) => append(kit, { tenant: 'globex' }, 'b', 'acme')), ['UNDECODABLE'])
  })
  test('a command older than handled ones are remembered', async () => {
    assert.equal(await buried((kit) => append(kit, { at: kit.clock.now() - 8 * 86_400_000 })), ['TOO_OLD'])
  })
  test('a command that has expired', async () => {
    assert.equal(await buried((kit) => append(kit, { type: 'brief', at: kit.clock.now() - 2_000 })), ['EXPIRED'])
  })
  test('a payload that does not fit', async () => {
    assert.equal(await buried((kit) => append(kit, { payload: { n: 'one' } })), ['BAD_INPUT'])
  })
  test('a message that the actor does not know, and one of the runtime itself', async () => {
    assert.equal(await buried((kit) => append(kit, { type: 'dance' })), ['UNKNOWN_MESSAGE'])
    assert.equal(await buried((kit) => append(kit, { type: '$probe' })), ['UNKNOWN_MESSAGE'])
    assert.equal(await buried((kit) => append(kit, { type: '$again', payload: { kind: 'job', key: ['b'] } })), [
      'UNKNOWN_MESSAGE',
    ])
  })
  test('a replayed reminder or end of a child that was edited into something else', async () => {
    for (const type of ['$timer', '$ended', '$again'])
      assert.equal(await buried((kit) => append(kit, { type, payload: { odd: 1 } })), ['BAD_INPUT'])
  })
  test('a handler that says too much', async () => {
    const loud = box((ctx, { n }) => {
      if (n === 1) ctx.emit('box:loud', { text: 'x'.repeat(900_000) }, { audience: 'pub' })
      ctx.state.list.push(n)
    })
    assert.equal(await buried((kit) => append(kit, {}), loud), ['TOO_LARGE'])
  })
  test('a handler that awaits the world outside', async () => {
    const waiting: readonly ((kit: TestSystem) => Promise<unknown>)[] = [
      (kit) => new Promise<void>((resolve) => void kit.clock.setTimeout(resolve, 5)),
      (kit) => kit.reach().ref(Box, 'other').ask('list', {}),
      () => new Promise(() => {}),
    ]
    for (const wait of waiting) {
      const kit = testSystem({ limits: { attempts: 2 }, brokerFaults: { latencyMinMs: 1, latencyMaxMs: 3 } })
      await kit.node(
        'a',
        box((ctx, { n }) => (n === 1 ? wait(kit) : void ctx.state.list.push(n))),
      )
      const ref = kit.reach().ref(Box, 'b')
      const error = await failure(kit, ref.confirm('put', { n: 1 }))
      assert.equal([error.code, error.details['last']], ['GAVE_UP', 'AWAIT_IN_TRANSACTION'])
      await kit.clock.settle(ref.confirm('put', { n: 2 }))
      assert.equal(await listOf(kit), [2])
      await kit.close()
    }
  })

  test('a loop of plain SQL is no waiting for the world outside', async () => {
    const kit = testSystem({ storeLatencyMs: 20 })
    const reading = box(async (ctx, { n }) => {
      const sql = await ctx.sql()
      for (let index = 0; index < 10; index++) await sql.query('put', [`row-${index}`, n])
      ctx.state.list.push(n)
    })
    await kit.node('a', reading)
    await kit.clock.settle(kit.reach().ref(Box, 'b').confirm('put', { n: 5 }))
    assert.is(kit.database.rows.get('acme/row-9'), 5)
    await kit.close()
  })

  test('what kills its holder again and again is counted across them', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 1_000, attempts: 3 } })
    let starts = 0
    const killing = (name: string): ReturnType<typeof actor> =>
      box((ctx, { n }) => {
        if (n !== 1) return void ctx.state.list.push(n)
        starts++
        kit.kill(name)
      })
    await kit.node('n0', killing('n0'))
    await kit.clock.settle(kit.reach().ref(Box, 'b').tell('put', { n: 1 }))
    await kit.clock.settle(kit.reach().ref(Box, 'b').tell('put', { n: 2 }))
    for (let node = 1; node < 8 && kit.database.letters.size === 0; node++) {
      void kit.make(`n${node}`, [killing(`n${node}`)]).start()
      await kit.clock.advance(5_000)
    }
    await kit.settled()
    assert.equal(codes(kit), ['GAVE_UP'])
    assert.ok(starts <= 4, `${starts} starts`)
    assert.equal(await listOf(kit), [2])
    await kit.close()
  })

  test('an outage of the database is not counted as the fault of the command', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { attempts: 2, retryFirstMs: 10, retryMaxMs: 50 } })
    await kit.node('a', plain)
    const ref = kit.reach().ref(Box, 'b')
    kit.database.faults.lostAnswerRate = 1
    await kit.clock.settle(ref.tell('put', { n: 1 }))
    await kit.clock.advance(5_000)
    kit.database.faults.lostAnswerRate = 0
    await kit.settled()
    assert.equal(await listOf(kit), [1])
    assert.equal(codes(kit), [])
    await kit.close()
  })
})
