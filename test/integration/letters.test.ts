/** A turn whose run was given up is a dead letter; replayed, its message is answered after all. */
import { Agent } from '#shared/contracts/agent.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { listDeadLetters, showDeadLetter } from '#shared/db/repositories/dead-letters.ts'
import { newId } from '#shared/lib/ids.ts'
import { encodeEnvelope } from '#shared/wire/envelope.ts'
import { encodeKey } from '#shared/wire/names.ts'
import { commandSubject, partitionOf } from '#shared/wire/subjects.ts'
import { again } from '#services/directory/replay.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { TENANT, startSwarm } from '#test/kit/swarm.ts'

const ENVELOPE = {
  type: 'prompt',
  version: Agent.version,
  tenant: TENANT,
  from: 'supervisor/c1',
  chain: [],
  deadline: 0,
  attempt: 1,
  epoch: 0,
  control: 0,
  principal: { tenant: TENANT, user: 'ada', roles: ['customer'], scopes: [], credential: '' },
  taint: [],
  trace: '',
  receipt: '',
} as const

suite('a turn that was given up', ({ test }) => {
  test('is answered in a new turn of the same message when its dead letter is replayed', async () => {
    let broken = true
    const swarm = await startSwarm({
      script: () => {
        if (broken) throw new Error('the model fails')
        return { steps: [{ say: ['Here you are.'] }] }
      },
    })
    try {
      const message = { clientId: 'm1', text: 'hello', agent: 'support', channel: 'test' }
      const { messageId } = (await swarm.reach().ref(Supervisor, 'c1').confirm('send', message)) as {
        messageId: string
      }
      await swarm.until('c1', ({ event }) => event.type === 'turn:ended', 40_000)
      broken = false
      const letter = await swarm.database.tenant(TENANT, async (sql) => {
        const [head] = await listDeadLetters(sql, { kind: 'agent' })
        return head === undefined ? null : await showDeadLetter(sql, head.id)
      })
      assert.ok(letter, 'the run is a dead letter')
      const { subject, bytes, id } = again(TENANT, letter, undefined)
      await swarm.transport.append(subject, bytes, { messageId: id })
      const entries = await swarm.until('c1', ({ event }) => event.type === 'message:completed', 20_000)
      const answer = entries.find(({ event }) => event.type === 'message:completed')!.event.payload
      const { parentId, text } = answer as { parentId: string; text: string }
      assert.equal([parentId, text], [messageId, 'Here you are.'])
    } finally {
      await swarm.close()
    }
  })
})

suite('a prompt that becomes a dead letter', ({ test }) => {
  test('ends its turn at once, and its message gets another when it is replayed as it should have been', async () => {
    let asked = 0
    const swarm = await startSwarm({
      script: () => (++asked === 1 ? { steps: [{ waitMs: 60_000 }] } : { steps: [{ say: ['Here you are.'] }] }),
    })
    try {
      const message = { clientId: 'm1', text: 'hello', agent: 'support', channel: 'test' }
      const accepted = await swarm.reach().ref(Supervisor, 'c1').confirm('send', message)
      const { messageId, turnId } = accepted as { messageId: string; turnId: string }
      const started = await swarm.until('c1', ({ event }) => event.type === 'run:started')
      const { runId } = started.find(({ event }) => event.type === 'run:started')!.event.payload as { runId: string }
      // As a prompt of this turn that cannot be read would be: without its text.
      const key = encodeKey(['c1', 'support'])
      const subject = commandSubject(TENANT, partitionOf(TENANT, 'agent', key, Agent.partitions), 'agent', key)
      const bytes = encodeEnvelope({ ...ENVELOPE, id: newId(), at: Date.now(), payload: { turnId, runId, messageId } })
      await swarm.transport.append(subject, bytes, { messageId: newId() })
      const entries = await swarm.until('c1', ({ event }) => event.type === 'turn:ended')
      const end = entries.find(({ event }) => event.type === 'turn:ended')!.event.payload
      assert.equal([(end as { turnId: string }).turnId, (end as { outcome: string }).outcome], [turnId, 'failed'])
      const letter = await swarm.database.tenant(TENANT, async (sql) => {
        const [head] = await listDeadLetters(sql, { kind: 'agent' })
        return head === undefined ? null : await showDeadLetter(sql, head.id)
      })
      assert.is(letter?.code, 'BAD_INPUT')
      const mended = { turnId, runId, messageId, answerId: newId(), text: 'hello', history: [] }
      const replayed = again(TENANT, letter!, mended)
      await swarm.transport.append(replayed.subject, replayed.bytes, { messageId: replayed.id })
      const answered = await swarm.until('c1', ({ event }) => event.type === 'message:completed', 20_000)
      const answer = answered.find(({ event }) => event.type === 'message:completed')!.event.payload
      assert.is((answer as { parentId: string }).parentId, messageId)
      assert.equal(
        answered.filter(({ event }) => event.type === 'turn:started').length,
        2,
        'a turn of its own, not that which is over',
      )
    } finally {
      await swarm.close()
    }
  })
})
