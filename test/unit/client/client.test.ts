import { createClient } from '#gateway/client/client.ts'
import type { Client, ClientOptions } from '#gateway/client/client.ts'
import type { ConversationView } from '#gateway/client/conversation.ts'
import { RequestFailed } from '#gateway/client/request-failed.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { CUSTOMER_TOKEN, FakeGateway, OPERATOR_TOKEN, refusal, turnIdOf } from './fake-gateway.ts'
import type { Brain } from './fake-gateway.ts'
import { until } from './until.ts'

/** Answers "echo: …" in three deltas. */
const echo: Brain = (gateway, question, conversationId) => {
  const turnId = turnIdOf(question)
  const id = `${question.id}a`
  const text = `echo: ${question.text}`
  gateway.say(conversationId, 'turn:started', { turnId, messageId: question.id })
  gateway.say(conversationId, 'route:decided', { turnId, agent: 'general', reason: 'It fits.', ms: 1 })
  gateway.say(conversationId, 'agent:speaking', {
    turnId,
    runId: 'r1',
    agent: 'general',
    title: 'General',
    messageId: id,
  })
  for (const offset of [0, 4, 8]) {
    gateway.say(conversationId, 'text:delta', { messageId: id, offset, text: text.slice(offset, offset + 4) })
  }
  gateway.say(conversationId, 'message:completed', gateway.fact({ id, parentId: question.id, text }))
  gateway.say(conversationId, 'turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 1 })
}

const texts = (view: ConversationView): string[] => view.state.messages.map((message) => message.text)
const answered = (count: number) => (view: ConversationView) =>
  view.state.messages.filter((message) => message.role === 'assistant' && message.status === 'complete').length ===
  count

suite('client', ({ test, beforeEach, afterEach }) => {
  let gateway: FakeGateway
  let clients: Client[] = []

  const connect = (options: Partial<ClientOptions> = {}): Client => {
    const client = createClient({
      url: gateway.url,
      token: OPERATOR_TOKEN,
      retryFirstMs: 2,
      retryMaxMs: 10,
      ...options,
    })
    clients.push(client)
    return client
  }

  beforeEach(async () => {
    gateway = await FakeGateway.start()
    gateway.brain = echo
    clients = []
  })
  afterEach(async () => {
    for (const client of clients) client.close()
    await gateway.close()
  })

  test('asks the gateway for nothing before the first message, then shows question, route and answer', async () => {
    const client = connect()
    const conversation = client.conversation(undefined, { ops: true })
    await until(client.connection, ({ status }) => status === 'live')
    assert.is(conversation.id, '')
    assert.is(conversation.latest.phase, 'new')
    const receipt = await conversation.send('hello').receipt
    assert.is(receipt.status, 'accepted')
    const view = await until(conversation, answered(1))
    assert.equal(texts(view), ['hello', 'echo: hello'])
    assert.equal(view.pending, [])
    assert.is(view.state.turns[0]?.route?.reason, 'It fits.')
  })

  test('loses nothing and doubles nothing when the connection breaks in the middle of a text', async () => {
    const client = connect()
    const conversation = client.conversation()
    let say: (from: number, to: number) => void = () => undefined
    gateway.brain = (_, question, id) => {
      say = (from, to) => {
        for (let offset = from; offset < to; offset += 1) {
          gateway.say(id, 'text:delta', { messageId: 'answer', offset, text: String(offset % 10) })
        }
      }
      gateway.say(id, 'turn:started', { turnId: 't', messageId: question.id })
      say(0, 10)
    }
    conversation.send('count')
    await until(conversation, (view) => texts(view).at(-1) === '0123456789')
    const entries: LogEntry[] = []
    conversation.onEntry((entry) => entries.push(entry))
    gateway.cut()
    await until(client.connection, ({ status }) => status === 'offline')
    say(10, 15) // said while nobody listened
    await until(client.connection, ({ status }) => status === 'live')
    say(15, 20)
    await until(conversation, (view) => texts(view).at(-1)?.length === 20)
    assert.is(texts(conversation.latest).at(-1), '01234567890123456789')
    assert.equal(
      entries.map((entry) => (entry.payload as { offset: number }).offset),
      [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    )
  })

  for (const ackLast of [true, false]) {
    test(`says what a reconnect brought, when the replay comes ${ackLast ? 'before' : 'after'} the answer`, async () => {
      gateway.faults.ackLast = ackLast
      const client = connect()
      const conversation = client.conversation()
      await conversation.send('one').receipt
      await until(conversation, answered(1))
      gateway.cut()
      await until(client.connection, ({ status }) => status === 'offline')
      const question = gateway.fact({ role: 'user', text: 'from another device' })
      gateway.say(conversation.id, 'message:received', question)
      const { recovered } = await until(client.connection, ({ status }) => status === 'live')
      assert.is(recovered?.entries, 1)
      assert.is(texts(conversation.latest).at(-1), 'from another device')
    })
  }

  test('folds entries that come before the answer to its opening only after the snapshot in that answer', async () => {
    gateway.faults.ackLast = true
    const id = gateway.log.open()
    const first = gateway.fact({ role: 'user', text: 'old' })
    gateway.say(id, 'message:received', first)
    gateway.faults.onOpen = () => {
      gateway.say(id, 'message:received', gateway.fact({ role: 'user', text: 'new' }))
    }
    const conversation = connect().conversation(id)
    const view = await until(conversation, ({ phase }) => phase === 'open')
    assert.equal(texts(view), ['old', 'new'])
  })

  test('sends the same id again when the receipt was lost, and the message is there once', async () => {
    gateway.faults.onSend = (_, attempt) => (attempt === 1 ? 'lose the ack' : undefined)
    const conversation = connect({ ackTimeoutMs: 50 }).conversation()
    const sent = conversation.send('once')
    assert.is((await sent.receipt).status, 'accepted')
    assert.equal(
      gateway.received.map(({ id }) => id),
      [sent.id, sent.id],
    )
    const view = await until(conversation, answered(1))
    assert.equal(texts(view), ['once', 'echo: once'])
    assert.equal(view.pending, [])
  })

  test('takes a pending receipt for no confirmation, and sends the same id until it has one', async () => {
    gateway.faults.onSend = (_, attempt) =>
      attempt < 4 ? { ok: true, messageId: 'm', turnId: 't', status: 'pending' } : undefined
    const conversation = connect().conversation()
    const sent = conversation.send('patience')
    assert.is((await sent.receipt).status, 'accepted')
    assert.equal(new Set(gateway.received.map(({ id }) => id)), new Set([sent.id]))
    assert.is(gateway.received.length, 4)
  })

  test('waits out what is only busy, in order: a later message does not overtake', async () => {
    gateway.brain = () => undefined
    gateway.faults.onSend = ({ text }, attempt) =>
      text === 'first' && attempt < 3 ? refusal('OVERLOADED', { retryAfterMs: 3 }) : undefined
    const conversation = connect().conversation()
    conversation.send('first')
    await conversation.send('second').receipt
    assert.equal(
      gateway.received.map(({ text }) => text),
      ['first', 'first', 'first', 'second'],
    )
  })

  test('keeps what is written without a connection, and sends it in order when there is one', async () => {
    gateway.brain = () => undefined
    const client = connect()
    const conversation = client.conversation()
    await conversation.send('before').receipt
    gateway.cut()
    await until(client.connection, ({ status }) => status === 'offline')
    const [a, b] = [conversation.send('a'), conversation.send('b')]
    assert.equal(
      conversation.latest.pending.map(({ text }) => text),
      ['a', 'b'],
    )
    await Promise.all([a.receipt, b.receipt])
    assert.equal(
      gateway.received.map(({ text }) => text),
      ['before', 'a', 'b'],
    )
  })

  test('gives back a message that is refused for good, lets the next pass, and sends it again when told', async () => {
    gateway.brain = () => undefined
    let strict = true
    gateway.faults.onSend = ({ text }) => (strict && text === 'no' ? 'refuse' : undefined)
    const conversation = connect().conversation()
    const refused = conversation.send('no')
    await conversation.send('yes').receipt
    const error = await refused.receipt.catch((thrown: unknown) => thrown)
    assert.instance(error, RequestFailed)
    assert.is((error as RequestFailed).code, 'BUSY')
    assert.equal(
      conversation.latest.pending.map(({ text, status }) => ({ text, status })),
      [{ text: 'no', status: 'refused' }],
    )
    strict = false
    conversation.retry(refused.id)
    const view = await until(conversation, ({ pending }) => pending.length === 0)
    assert.equal(texts(view), ['yes', 'no'])
  })

  test('lets a message go in the very moment in which it hears that it was refused', async () => {
    gateway.brain = () => undefined
    gateway.faults.onSend = () => 'refuse'
    const conversation = connect().conversation()
    const { id, receipt } = conversation.send('no')
    await receipt.catch(() => undefined)
    assert.ok(conversation.discard(id))
    assert.equal(conversation.latest.pending, [])
  })

  test('does not hammer a gateway that refuses its token, and says why', async () => {
    const client = connect({ token: 'stolen' })
    const state = await until(client.connection, ({ refused }) => refused)
    assert.is(state.status, 'offline')
    assert.is(state.error?.code, 'UNAUTHENTICATED')
    const { connections } = gateway
    // Thirty round trips of another client take far longer than the longest wait between two attempts.
    const other = connect()
    const conversation = other.conversation()
    for (let trip = 0; trip < 30; trip += 1) await conversation.send(`trip ${trip}`).receipt
    assert.is(gateway.connections, connections + 1)
  })

  test('opens without operators’ events where the role has none', async () => {
    const conversation = connect({ token: CUSTOMER_TOKEN }).conversation(undefined, { ops: true })
    await conversation.send('hello').receipt
    const view = await until(conversation, answered(1))
    assert.is(view.state.turns[0]?.route, null)
  })

  test('fails a conversation that does not exist, and says so', async () => {
    const conversation = connect().conversation('nowhere')
    const view = await until(conversation, ({ phase }) => phase === 'failed')
    assert.is(view.error?.code, 'NOT_FOUND')
  })

  test('replaces its state when the log began anew while it was away', async () => {
    const client = connect()
    const conversation = client.conversation()
    await conversation.send('one').receipt
    await until(conversation, answered(1))
    gateway.cut()
    await until(client.connection, ({ status }) => status === 'offline')
    gateway.log.beginAnew()
    await until(client.connection, ({ status }) => status === 'live')
    assert.equal(texts(conversation.latest), ['one', 'echo: one'])
    assert.ok(conversation.latest.state.cursor?.startsWith('onex.'))
    await conversation.send('two').receipt
    assert.equal(texts(await until(conversation, answered(2))).at(-1), 'echo: two')
  })

  test('takes a snapshot in the middle: the gateway dropped deltas for a slow reader', async () => {
    const conversation = connect().conversation()
    await conversation.send('one').receipt
    await until(conversation, answered(1))
    gateway.log.append(
      conversation.id,
      'message:received',
      gateway.fact({ role: 'user', text: 'unheard' }),
      'supervisor',
    )
    gateway.sendSnapshot(conversation.id)
    const view = await until(conversation, (next) => texts(next).length === 3)
    assert.equal(texts(view), ['one', 'echo: one', 'unheard'])
  })

  test('goes to another gateway when this one says it leaves', async () => {
    const client = connect()
    const conversation = client.conversation()
    await conversation.send('one').receipt
    const before = gateway.connections
    gateway.leaving()
    await until(client.connection, ({ status }) => status === 'offline')
    await until(client.connection, ({ status }) => status === 'live')
    assert.is(gateway.connections, before + 1)
    await conversation.send('two').receipt
  })

  test('goes on after a reload from what it saved, unsent messages included', async () => {
    gateway.brain = (_, question, id) => {
      gateway.say(id, 'text:delta', { messageId: `${question.id}a`, offset: 0, text: 'half' })
    }
    const first = connect()
    const before = first.conversation()
    await before.send('one').receipt
    await until(before, (view) => texts(view).at(-1) === 'half')
    gateway.cut()
    await until(first.connection, ({ status }) => status === 'offline')
    const sent = before.send('two')
    const saved = JSON.parse(JSON.stringify(before.save())) as ReturnType<typeof before.save>
    first.close()

    gateway.say(before.id, 'text:delta', { messageId: 'm000002a', offset: 4, text: ' and half' })
    const after = connect().conversation(saved.state.conversationId, { saved })
    assert.equal(texts(after.latest), ['one', 'half'])
    const view = await until(after, (next) => next.state.messages.some(({ clientId }) => clientId === sent.id))
    assert.is(view.state.messages.find(({ role }) => role === 'assistant')?.text, 'half and half')
    assert.is(gateway.received.filter(({ text }) => text === 'one').length, 1)
  })

  test('hears an entry that comes twice once', async () => {
    const conversation = connect().conversation()
    await conversation.send('hello').receipt
    await until(conversation, answered(1))
    const heard: string[] = []
    conversation.onEntry((entry) => heard.push(entry.id))
    const fact = gateway.fact({ role: 'user', text: 'twice?' })
    const entry = gateway.say(conversation.id, 'message:received', fact)
    gateway.sayAgain(entry)
    const last = gateway.say(conversation.id, 'message:received', gateway.fact({ role: 'user', text: 'end' }))
    await until(conversation, (view) => texts(view).at(-1) === 'end')
    assert.equal(heard, [entry.id, last.id])
  })

  test('stops a turn by its id', async () => {
    gateway.brain = () => undefined
    const conversation = connect().conversation()
    const { turnId } = await conversation.send('long work').receipt
    assert.equal(await conversation.stop(turnId), { status: 'stopping', turnId })
    assert.equal(gateway.stops, [{ conversationId: conversation.id, turnId }])
  })

  test('tells its watchers once per frame, and gives them the same value in between', async () => {
    const frames: (() => void)[] = []
    const conversation = connect({ schedule: (flush) => void frames.push(flush) }).conversation()
    const frame = (): void => frames.splice(0).forEach((flush) => flush())
    let told = 0
    conversation.subscribe(() => (told += 1))
    await conversation.send('hello').receipt
    const shown = conversation.getSnapshot()
    while (!answered(1)(conversation.latest)) await new Promise((resolve) => setImmediate(resolve))
    assert.is(conversation.getSnapshot(), shown)
    assert.is(told, 0)
    frame()
    assert.is(told, 1)
    assert.equal(texts(conversation.getSnapshot()), ['hello', 'echo: hello'])
  })

  test('leaves the room when it is closed', async () => {
    const conversation = connect().conversation()
    await conversation.send('hello').receipt
    await until(conversation, answered(1))
    conversation.close()
    const { cursor } = conversation.latest.state
    gateway.say(conversation.id, 'message:received', gateway.fact({ role: 'user', text: 'late' }))
    const other = connect().conversation(conversation.id)
    await until(other, ({ phase }) => phase === 'open')
    assert.is(conversation.latest.state.cursor, cursor)
    assert.is(conversation.latest.phase, 'closed')
  })
})

suite('client: the watch over the swarm', ({ test, beforeEach, afterEach }) => {
  let gateway: FakeGateway
  let client: Client

  beforeEach(async () => {
    gateway = await FakeGateway.start()
  })
  afterEach(async () => {
    client.close()
    await gateway.close()
  })

  test('keeps the newest state of each actor, and folds a run of deltas into one row', async () => {
    client = createClient({ url: gateway.url, token: OPERATOR_TOKEN })
    const swarm = client.watch()
    await until(swarm, ({ phase }) => phase === 'open')
    const id = gateway.log.open()
    const actor = { kind: 'agent', key: `${id}--billing`, mailbox: 0, node: 'n1', reason: '' }
    gateway.say(id, 'actor:changed', { ...actor, state: 'awake' })
    gateway.say(id, 'text:delta', { messageId: 'm1', offset: 0, text: 'abc' })
    gateway.say(id, 'text:delta', { messageId: 'm2', offset: 0, text: 'x' })
    gateway.say(id, 'text:delta', { messageId: 'm1', offset: 3, text: 'def' })
    gateway.say(id, 'actor:changed', { ...actor, state: 'running', mailbox: 2 })
    const { state } = await until(swarm, (view) => view.state.seen === 5)
    assert.is(state.actors[`agent/${id}--billing`]?.state, 'running')
    assert.is(state.actors[`agent/${id}--billing`]?.mailbox, 2)
    assert.equal(
      state.rows.map(({ entry, count, chars }) => [entry.type, count, chars]),
      [
        ['actor:changed', 1, 0],
        ['text:delta', 2, 6],
        ['text:delta', 1, 1],
        ['actor:changed', 1, 0],
      ],
    )
  })

  test('goes on after its last cursor when the connection breaks', async () => {
    client = createClient({ url: gateway.url, token: OPERATOR_TOKEN, retryFirstMs: 2, retryMaxMs: 10, quietMs: 20 })
    const swarm = client.watch()
    const heard: string[] = []
    swarm.onEntry((entry) => heard.push(entry.id))
    await until(swarm, ({ phase }) => phase === 'open')
    const id = gateway.log.open()
    gateway.say(id, 'human:offered', { turnId: 't1', reason: 'a' })
    await until(swarm, (view) => view.state.seen === 1)
    gateway.cut()
    await until(client.connection, ({ status }) => status === 'offline')
    gateway.say(id, 'human:offered', { turnId: 't2', reason: 'b' })
    await until(client.connection, ({ status }) => status === 'live')
    gateway.say(id, 'human:offered', { turnId: 't3', reason: 'c' })
    await until(swarm, (view) => view.state.seen === 3)
    assert.equal(heard, ['e2', 'e3', 'e4'])
  })

  test('hears an entry that comes twice once, and an earlier one of another conversation still', async () => {
    client = createClient({ url: gateway.url, token: OPERATOR_TOKEN })
    const swarm = client.watch()
    const heard: string[] = []
    swarm.onEntry((entry) => heard.push(entry.id))
    await until(swarm, ({ phase }) => phase === 'open')
    const [a, b] = [gateway.log.open(), gateway.log.open()]
    const late = gateway.log.append(a, 'human:offered', { turnId: 't1', reason: 'a' }, 'supervisor')
    const first = gateway.say(b, 'human:offered', { turnId: 't2', reason: 'b' })
    gateway.sayAgain(first)
    gateway.sayAgain(late)
    gateway.sayAgain(late)
    gateway.say(b, 'human:offered', { turnId: 't3', reason: 'c' })
    await until(swarm, (view) => view.state.seen === 3)
    assert.equal(heard, ['e4', 'e3', 'e5'])
  })

  test('says that a customer may not watch', async () => {
    client = createClient({ url: gateway.url, token: CUSTOMER_TOKEN })
    const view = await until(client.watch(), ({ phase }) => phase === 'failed')
    assert.is(view.error?.code, 'FORBIDDEN')
  })
})
