import { createHash } from 'node:crypto'
import { ActorSystem } from '#shared/actor/system.ts'
import { PLATFORM } from '#shared/actor/core.ts'
import type { PoolRef } from '#shared/actor/ref.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { listAudit } from '#shared/db/repositories/audit.ts'
import { createApiKey, revokeApiKey } from '#shared/db/repositories/api-keys.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import { appendMessage } from '#shared/db/repositories/messages.ts'
import { saveTenant, setTenantStatus } from '#shared/db/repositories/tenants.ts'
import { saveUser } from '#shared/db/repositories/users.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { newId } from '#shared/lib/ids.ts'
import { directoryOf } from '#services/directory/directory.actor.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { MemoryBroker } from '#shared/transport/memory.ts'
import { decodeEnvelope, encodeEnvelope } from '#shared/wire/envelope.ts'
import type { Envelope } from '#shared/wire/envelope.ts'
import { commandSubject } from '#shared/wire/subjects.ts'
import { stepOf } from '#test/contract/store.contract.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { servers } from '../db-servers.ts'
import type { OpenedDatabase } from '../db-servers.ts'
import { principalOf } from './gateway-world.ts'

function envelopeOf(type: string, payload: unknown): Envelope {
  return {
    id: newId(),
    type,
    version: 1,
    tenant: 'acme',
    from: 'client/ann',
    chain: [],
    deadline: 0,
    attempt: 1,
    epoch: 0,
    control: 0,
    principal: principalOf('ann'),
    taint: ['web'],
    trace: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    at: Date.now(),
    receipt: '',
    payload,
  }
}

for (const server of servers) {
  suite(`directory on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    let broker: MemoryBroker
    let system: ActorSystem
    const replayed: { subject: string; bytes: Uint8Array; messageId: string }[] = []
    const sql = <Result>(tenant: string, work: (sql: TenantSql) => Promise<Result>): Promise<Result> =>
      opened.database.tenant(tenant, work)
    const as = (
      user: string,
      roles: readonly string[] = [],
      tenant = 'acme',
    ): PoolRef<(typeof Directory)['messages']> => system.reach(principalOf(user, roles, tenant)).pool(Directory, 'main')
    const page = { limit: 50, after: null }

    before(async () => {
      opened = await server.open()
      broker = memoryBroker({ clock: systemClock })
      system = new ActorSystem({ transport: broker.connect('node'), node: 'node', streams: { memory: true } })
      system.host(
        directoryOf(
          opened.database,
          async (subject, bytes, messageId) => void replayed.push({ subject, bytes, messageId }),
        ),
      )
      await system.start()
      for (const tenant of ['acme', 'globex']) {
        await sql(tenant, async (own) => {
          await saveTenant(own, { name: tenant })
          for (const id of ['ann', 'bob']) await saveUser(own, { id, name: id, roles: [] })
        })
      }
    })
    after(async () => {
      await system.stop()
      broker.close()
      await opened.close()
    })

    const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex')

    test('a key is told to the platform only, by its hash, and not when revoked or of a disabled tenant', async () => {
      const { id, key } = await sql('globex', (own) =>
        createApiKey(own, { userId: 'ann', name: 'k', roles: ['operator'], scopes: ['chat'] }),
      )
      const platform = system.reach(PLATFORM).pool(Directory, 'main')
      assert.equal(await platform.ask('apiKey', { hash: hashOf(key) }), {
        tenant: 'globex',
        user: 'ann',
        roles: ['operator'],
        scopes: ['chat'],
      })
      assert.is(await codeOf(as('ann', ['admin'], 'globex').ask('apiKey', { hash: hashOf(key) })), 'UNAUTHENTICATED')
      assert.is(await codeOf(platform.ask('apiKey', { hash: hashOf('wag_wrong') })), 'UNAUTHENTICATED')
      await sql('globex', (own) => setTenantStatus(own, 'disabled'))
      assert.is(await codeOf(platform.ask('apiKey', { hash: hashOf(key) })), 'UNAUTHENTICATED')
      await sql('globex', (own) => setTenantStatus(own, 'active'))
      await sql('globex', (own) => revokeApiKey(own, id))
      assert.is(await codeOf(platform.ask('apiKey', { hash: hashOf(key) })), 'UNAUTHENTICATED')
    })

    test('a tenant is active, disabled or unknown', async () => {
      assert.equal(await as('x', [], 'acme').ask('tenant', {}), { state: 'active' })
      assert.equal(await as('x', [], 'nobody').ask('tenant', {}), { state: 'unknown' })
      await sql('globex', (own) => setTenantStatus(own, 'disabled'))
      assert.equal(await as('x', [], 'globex').ask('tenant', {}), { state: 'disabled' })
      await sql('globex', (own) => setTenantStatus(own, 'active'))
    })

    test('conversations: a customer sees his own, an operator those of the tenant, nobody those of another', async () => {
      const mine = newId()
      const theirs = newId()
      const foreign = newId()
      await sql('acme', (own) => createConversation(own, { id: mine, userId: 'ann', channel: 'web' }))
      await sql('acme', (own) => createConversation(own, { id: theirs, userId: 'bob', channel: 'web' }))
      await sql('globex', (own) => createConversation(own, { id: foreign, userId: 'ann', channel: 'web' }))
      const ids = async (user: string, roles: readonly string[] = []): Promise<string[]> =>
        (await as(user, roles).ask('conversations', page)).conversations.map(({ id }) => id)
      assert.equal(await ids('ann'), [mine])
      assert.equal(new Set(await ids('olga', ['operator'])), new Set([mine, theirs]))
      assert.is((await as('ann').ask('conversation', { id: mine })).user, 'ann')
      for (const id of [theirs, foreign, 'nowhere']) {
        assert.is(await codeOf(as('ann').ask('conversation', { id })), 'NOT_FOUND', id)
        assert.is(await codeOf(as('ann').ask('messages', { ...page, conversationId: id })), 'NOT_FOUND', id)
        assert.is(await codeOf(as('ann').ask('runs', { ...page, conversationId: id })), 'NOT_FOUND', id)
      }
      assert.is(await codeOf(as('olga', ['operator']).ask('conversation', { id: foreign })), 'NOT_FOUND')
    })

    test('pages follow each other without a gap or a repetition, also among equal times', async () => {
      const tenant = 'initech'
      await sql(tenant, async (own) => {
        await saveTenant(own, { name: tenant })
        await saveUser(own, { id: 'ann', name: 'Ann', roles: [] })
        // One transaction: all have the same time.
        for (let i = 0; i < 25; i++) await createConversation(own, { id: newId(), userId: 'ann', channel: 'web' })
      })
      const seen: string[] = []
      let after: string | null = null
      let pages = 0
      do {
        const answer: { conversations: { id: string }[]; next: string | null } = await as('ann', [], tenant).ask(
          'conversations',
          { limit: 10, after },
        )
        seen.push(...answer.conversations.map(({ id }) => id))
        after = answer.next
        pages++
      } while (after !== null && pages < 10)
      assert.is(seen.length, 25)
      assert.is(new Set(seen).size, 25)
      for (const bad of ['x', '1', "1.'; drop table runs", `${'9'.repeat(30)}.a`]) {
        assert.is(await codeOf(as('ann', [], tenant).ask('conversations', { limit: 10, after: bad })), 'BAD_INPUT', bad)
      }
    })

    test('messages: newest page first, each in order', async () => {
      const id = newId()
      await sql('acme', async (own) => {
        await createConversation(own, { id, userId: 'ann', channel: 'web' })
        for (let i = 0; i < 12; i++)
          await appendMessage(own, {
            id: `${id}-${i}`,
            conversationId: id,
            role: 'user',
            author: 'ann',
            principal: 'ann',
            clientId: `c${i}`,
            content: `number ${i}`,
            data: { at: i },
          })
      })
      const first = await as('ann').ask('messages', { conversationId: id, limit: 5, after: null })
      assert.equal(
        first.messages.map(({ text }) => text),
        [7, 8, 9, 10, 11].map((n) => `number ${n}`),
      )
      const second = await as('ann').ask('messages', { conversationId: id, limit: 5, after: first.next })
      assert.equal(
        second.messages.map(({ text }) => text),
        [2, 3, 4, 5, 6].map((n) => `number ${n}`),
      )
      const third = await as('ann').ask('messages', { conversationId: id, limit: 5, after: second.next })
      assert.equal(
        third.messages.map(({ text }) => text),
        [0, 1].map((n) => `number ${n}`),
      )
      assert.is(third.next, null)
    })

    test('runs: of a conversation for whom it belongs, of the tenant for operators, one by its id; each with its turn', async () => {
      const id = newId()
      const run = newId()
      await sql('acme', (own) => createConversation(own, { id, userId: 'ann', channel: 'web' }))
      const store = createStore(opened.database)
      await store.declare([{ kind: 'agent', partitions: 4 }])
      const epoch = await store.claim('agent', 0, 'test')
      const envelope = encodeEnvelope(
        envelopeOf('run', { turnId: 'turn-1', runId: run, messageId: 'm', text: 'x', conversationId: id }),
      )
      await store.commit({ tenant: 'acme', kind: 'agent', partition: 0, epoch }, [
        stepOf(`${id}--billing`, {
          runs: [
            {
              change: 'start',
              run: {
                kind: 'run',
                key: `${id}--${run}`,
                parentKind: 'agent',
                parentKey: `${id}--billing`,
                deadline: Date.now() + 60_000,
                envelope,
              },
            },
          ],
        }),
      ])
      const { runs } = await as('ann').ask('runs', { ...page, conversationId: id })
      assert.is(runs.length, 1)
      assert.equal(
        { id: runs[0]!.id, turn: runs[0]!.turnId, agent: runs[0]!.agent, conversation: runs[0]!.conversationId },
        { id: run, turn: 'turn-1', agent: 'billing', conversation: id },
      )
      assert.is((await as('ann').ask('run', { id: run })).id, run)
      assert.is(await codeOf(as('bob').ask('run', { id: run })), 'NOT_FOUND')
      assert.is(await codeOf(as('ann').ask('run', { id: run.slice(1) })), 'NOT_FOUND')
      assert.is(await codeOf(as('ann').ask('runs', { ...page, conversationId: null })), 'FORBIDDEN')
      assert.ok(
        (await as('olga', ['operator']).ask('runs', { ...page, conversationId: null })).runs.some(
          (one) => one.id === run,
        ),
      )
    })

    test('agents of the tenant, without their prompts', async () => {
      await sql('acme', (own) =>
        saveAgent(
          own,
          { id: 'billing', title: 'Billing', description: 'Invoices.', systemPrompt: 'secret instructions' },
          { author: 'test' },
        ),
      )
      const { agents } = await as('ann').ask('agents', {})
      assert.equal(
        agents.map(({ name }) => name),
        ['billing'],
      )
      assert.not.match(JSON.stringify(agents), /secret instructions/)
      assert.equal((await as('ann', [], 'globex').ask('agents', {})).agents, [])
    })

    test('dead letters: for operators; shown with payload and history; replayed once, however many ask at once', async () => {
      const store = createStore(opened.database)
      const id = newId()
      const subject = commandSubject('acme', 3, 'agent', 'c1--billing')
      const envelope = envelopeOf('prompt', { text: 'hello' })
      const letter = {
        id,
        tenant: 'acme',
        subject,
        payload: encodeEnvelope(envelope),
        code: 'GAVE_UP',
        message: 'It failed.',
        attempts: 5,
        history: [{ code: 'CRASHED', message: 'x', at: 1 }],
        trace: envelope.trace,
        at: Date.now(),
      } as const
      await store.bury(letter)
      const olga = as('olga', ['operator'])
      assert.is(await codeOf(as('ann').ask('letters', page)), 'FORBIDDEN')
      assert.is(await codeOf(as('ann').ask('letter', { id })), 'FORBIDDEN')
      assert.is(await codeOf(as('ann').ask('replay', { id })), 'FORBIDDEN')
      assert.is(await codeOf(as('olga', ['operator'], 'globex').ask('letter', { id })), 'NOT_FOUND')
      assert.is((await olga.ask('letters', page)).letters[0]!.id, id)
      const shown = await olga.ask('letter', { id })
      assert.equal(shown.payload, { text: 'hello' })
      assert.is(shown.history.length, 1)
      const outcomes = await Promise.all(
        Array.from({ length: 3 }, () => codeOf(olga.ask('replay', { id, payload: { text: 'edited' } }))),
      )
      assert.ok(
        outcomes.every((code) => code === 'no error' || code === 'CONFLICT') && outcomes.includes('no error'),
        JSON.stringify(outcomes),
      )
      assert.is(new Set(replayed.map(({ messageId }) => messageId)).size, 1, 'one command, however often it is sent')
      const again = decodeEnvelope(replayed[0]!.bytes)
      assert.equal(
        { payload: again.payload, attempt: again.attempt, trace: again.trace, taint: again.taint, id: again.id },
        {
          payload: { text: 'edited' },
          attempt: 2,
          trace: envelope.trace,
          taint: ['web'],
          id: replayed[0]!.messageId,
        },
      )
      assert.is(replayed[0]!.subject, subject)
      assert.is(await codeOf(olga.ask('replay', { id })), 'CONFLICT')
      assert.is((await olga.ask('letter', { id })).state, 'replayed')
    })

    test('letters by filter: listed, replayed and discarded together, each decision audited', async () => {
      const store = createStore(opened.database)
      const olga = as('olga', ['operator'])
      const subject = commandSubject('acme', 3, 'box', 'c1')
      const base = { tenant: 'acme', message: 'x', attempts: 1, history: [], trace: '' } as const
      const payload = encodeEnvelope(envelopeOf('put', { n: 1 }))
      const ids = await Promise.all(
        [1, 2, 3, 4].map(async (n) => {
          const id = `box-${n}`
          await store.bury({ ...base, id, subject, payload, code: n === 4 ? 'EXPIRED' : 'GAVE_UP', at: 1_000 + n })
          return id
        }),
      )
      await store.bury({ ...base, id: 'box-odd', subject, payload: new Uint8Array([9]), code: 'GAVE_UP', at: 1_000 })
      const filter = { kind: 'box', code: 'GAVE_UP', until: 1_003 }
      const listed = await olga.ask('letters', { ...page, filter })
      assert.equal(
        listed.letters.map(({ id, kind }) => [id, kind]),
        [
          ['box-2', 'box'],
          ['box-1', 'box'],
          ['box-odd', 'box'],
        ],
      )
      const first = await olga.ask('letters', { limit: 1, after: null, filter })
      const second = await olga.ask('letters', { limit: 1, after: first.next, filter })
      assert.is(second.letters[0]?.id, 'box-1', 'pages go on from any letter')
      const before = replayed.length
      const answer = await olga.ask('replayAll', { filter })
      assert.equal(
        answer.replayed.map(({ letter }) => letter),
        ['box-1', 'box-2'],
        'the oldest first',
      )
      assert.equal(
        [answer.failed.map(({ letter, code }) => [letter, code]), answer.left],
        [[['box-odd', 'BAD_INPUT']], false],
      )
      assert.is(replayed.length - before, 2)
      assert.equal(await olga.ask('discardAll', { filter: { kind: 'box', code: 'GAVE_UP' } }), {
        discarded: 2,
        left: false,
      })
      await olga.ask('discard', { id: ids[3]! })
      assert.is(await codeOf(olga.ask('discard', { id: ids[3]! })), 'CONFLICT')
      assert.is(await codeOf(olga.ask('replay', { id: ids[3]! })), 'CONFLICT', 'what is discarded is not sent')
      assert.is(await codeOf(olga.ask('discard', { id: 'none' })), 'NOT_FOUND')
      const actions = await sql('acme', (own) => listAudit(own))
      for (const [action, count] of [
        ['letter.replayed', 2],
        ['letter.discarded', 3],
      ] as const)
        assert.is(actions.filter((entry) => entry.action === action && entry.subject.startsWith('box-')).length, count)
      for (const name of ['replayAll', 'discardAll'] as const)
        assert.is(await codeOf(as('ann').ask(name, { filter: {} })), 'FORBIDDEN')
    })

    test('letters are purged by administrators, and undecided ones only when that is said', async () => {
      const store = createStore(opened.database)
      const base = { tenant: 'acme', subject: 't.acme.in.slack.c7', message: 'x', attempts: 20, history: [], trace: '' }
      for (const id of ['in-1', 'in-2'])
        await store.bury({ ...base, id, payload: new TextEncoder().encode('{"a":1}'), code: 'UNDELIVERED', at: 5 })
      const olga = as('olga', ['operator'])
      assert.equal((await olga.ask('letter', { id: 'in-1' })).payload, { a: 1 }, 'bytes of bridges are shown as JSON')
      await olga.ask('replay', { id: 'in-1', payload: { a: 2 } })
      assert.is(replayed.at(-1)!.subject, 't.acme.in.slack.c7')
      assert.is(new TextDecoder().decode(replayed.at(-1)!.bytes), '{"a":2}')
      assert.is(await codeOf(olga.ask('purge', { before: 10, undecided: true })), 'FORBIDDEN')
      const ada = as('ada', ['admin'])
      assert.equal(await ada.ask('purge', { before: 10, undecided: false }), { purged: 1, left: false })
      assert.equal(await ada.ask('purge', { before: 10, undecided: true }), { purged: 1, left: false })
      assert.is(await codeOf(olga.ask('letter', { id: 'in-2' })), 'NOT_FOUND')
    })

    test('a letter that is no command of the tenant, or cannot be read, is not sent anywhere', async () => {
      const store = createStore(opened.database)
      const olga = as('olga', ['operator'])
      const before = replayed.length
      const base = {
        tenant: 'acme',
        code: 'UNDECODABLE',
        message: 'x',
        attempts: 1,
        history: [],
        trace: '',
        at: Date.now(),
      } as const
      const letters = [
        {
          ...base,
          id: newId(),
          subject: commandSubject('globex', 1, 'agent', 'c1'),
          payload: encodeEnvelope(envelopeOf('prompt', {})),
        },
        { ...base, id: newId(), subject: 'not a subject', payload: encodeEnvelope(envelopeOf('prompt', {})) },
        { ...base, id: newId(), subject: commandSubject('acme', 1, 'agent', 'c1'), payload: new Uint8Array([1, 2, 3]) },
      ]
      for (const letter of letters) {
        await store.bury(letter)
        assert.is((await olga.ask('letter', { id: letter.id })).id, letter.id)
        assert.is(await codeOf(olga.ask('replay', { id: letter.id })), 'BAD_INPUT', letter.subject)
      }
      assert.is(replayed.length, before)
    })
  })
}
