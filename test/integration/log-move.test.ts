import { createClient } from '#gateway/client/client.ts'
import type { Client } from '#gateway/client/client.ts'
import { openTurns } from '#gateway/client/conversation-state.ts'
import type { MessageView } from '#gateway/client/conversation-state.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { EventLog } from '#shared/actor/event-log.ts'
import type { LogPlace } from '#shared/actor/event-log.ts'
import { EVENTS } from '#shared/actor/streams.ts'
import { Log } from '#shared/contracts/log.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { encodeName } from '#shared/wire/names.ts'
import { filters } from '#shared/wire/subjects.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'
import type { TestSwarm } from '#test/kit/swarm.ts'

interface Person {
  readonly conversation: Conversation
  readonly entries: readonly LogEntry[]
  readonly asked: string[]
}

const sequenceOf = (cursor: string): number => Number(cursor.split('.')[1])
const WORDS = Array.from({ length: 30 }, (_, at) => `word${at} `)
const ANSWER = WORDS.join('')

suite('a tenant that moves to a log of its own, over a real broker', ({ test, before, after }) => {
  let swarm: TestSwarm
  let gateways: OpenGateway[] = []
  const clients: Client[] = []
  before(async () => {
    swarm = await startSwarm({ script: () => ({ steps: [{ say: WORDS }] }) })
    await swarm.node('second')
    for (const name of ['one', 'two']) gateways.push(await openGateway(swarm.nats.url, TENANT, { name }))
  })
  after(async () => {
    for (const client of clients) client.close()
    for (const gateway of gateways) await gateway.close()
    gateways = []
    await swarm.close()
  })

  const join = async (gateway: OpenGateway, id?: string): Promise<Person> => {
    const client = createClient({ url: gateway.url, token: await gateway.token('ann') })
    clients.push(client)
    const conversation = client.conversation(id)
    const entries: LogEntry[] = []
    conversation.onEntry((entry) => entries.push(entry))
    return { conversation, entries, asked: [] }
  }
  /** Until it is answered, as it is shown to who asked. */
  const ask = async ({ conversation, asked }: Person, text: string): Promise<void> => {
    asked.push(text)
    const { messageId } = await conversation.send(text).receipt
    await new Promise<void>((done) => {
      const look = (): void => {
        const { state } = conversation.latest
        // A snapshot says nothing of turns that are over, but has what they said.
        const at = state.messages.findIndex(({ id }) => id === messageId)
        const answered = state.messages.slice(at + 1).some(({ role, text }) => role === 'assistant' && text === ANSWER)
        if (at >= 0 && answered && openTurns(state).length === 0) done()
      }
      conversation.subscribe(look)
      look()
    })
  }
  const places = async (): Promise<readonly LogPlace[]> =>
    (await swarm.reach('olga', ['operator']).pool(Log, 'keeper').ask('logs', {})).own

  test('only the platform may ask for it', async () => {
    const refused = await swarm
      .reach('olga', ['operator', 'admin'])
      .pool(Log, 'keeper')
      .ask('move', {})
      .catch((error: { code: string }) => error.code)
    assert.is(refused, 'FORBIDDEN')
    assert.equal(await places(), [])
  })

  test('people go on over it: what they are shown is the log, whole and in order, and old cursors are good', async () => {
    const ann = await join(gateways[0]!)
    await ask(ann, 'Before?')
    const { id } = ann.conversation
    const late = await join(gateways[1]!, id)
    await ask(late, 'Also before?')
    const platform = swarm.reach('root', ['platform']).pool(Log, 'keeper')
    const asking = (async () => {
      for (let n = 1; n <= 4; n++) await ask(ann, `Meanwhile ${n}?`)
    })()
    assert.equal(await platform.ask('move', {}), { stream: `EVT-${TENANT}` })
    await asking
    for (let n = 1; (await places()).length === 0; n++) await ask(ann, `Is it there (${n})?`)
    await ask(late, 'After?')
    await ask(ann, 'Also after?')

    const [place] = await places()
    const log = new EventLog(swarm.transport, systemClock)
    log.incarnation = place!.shared
    const stored: number[] = []
    const range = { filters: [filters.eventsOfScope(TENANT, encodeName(id))], from: 1 }
    for await (const { sequence, subject } of log.at(place!).read(range))
      if (subject.endsWith('.pub')) stored.push(sequence)
    assert.ok(stored.some((sequence) => sequence <= place!.after) && stored.some((sequence) => sequence >= place!.from))
    const asked = new Set([...ann.asked, ...late.asked])
    for (const { conversation, entries } of [ann, late]) {
      const told = (): readonly MessageView[] => conversation.latest.state.messages
      await new Promise<void>((done) => {
        const look = (): void =>
          void (told().length === 2 * asked.size && openTurns(conversation.latest.state).length === 0 && done())
        conversation.subscribe(look)
        look()
      })
      assert.equal(
        new Set(
          told()
            .filter(({ role }) => role === 'user')
            .map(({ text }) => text),
        ),
        asked,
      )
      for (const { role, text } of told()) if (role === 'assistant') assert.is(text, ANSWER)
      const shown = entries.map(({ cursor }) => sequenceOf(cursor))
      assert.equal(
        [...new Set(shown)].toSorted((a, b) => a - b),
        shown,
        'in order, nothing twice',
      )
    }
    const old = ann.entries.find(({ cursor }) => sequenceOf(cursor) < place!.after)!
    const socket = await gateways[1]!.client('ann')
    const answer = (await socket.timeout(10_000).emitWithAck('conversation:open', {
      conversationId: id,
      after: old.cursor,
    })) as { ok: boolean; snapshot: unknown }
    assert.equal([answer.ok, answer.snapshot], [true, null], 'a cursor of before needs no snapshot')
    const { messages } = await swarm.transport.streamInfo(EVENTS, filters.eventsOfTenant(TENANT))
    assert.ok(messages > 0)
  })
})
