import { PAST_TURNS } from '#gateway/log/limits.ts'
import { fromSnapshot } from '#gateway/client/conversation-state.ts'
import { withPast } from '#gateway/client/with-past.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { LogClient } from './log-client.ts'
import { LogWorld } from './log-world.ts'

async function world(work: (w: LogWorld) => Promise<void>): Promise<void> {
  const w = await new LogWorld().open()
  try {
    await work(w)
  } finally {
    w.close()
  }
}

/** A question, a tool call and an answer, as they stand in the log; what of it is stored as messages. */
async function turn(w: LogWorld, name: string, call = {}): Promise<MessageFact[]> {
  const common = { clientId: '', citations: [], extractive: false, data: null, revision: 1, at: w.clock.now() }
  const question: MessageFact = { ...common, id: `q-${name}`, parentId: null, role: 'user', author: 'ann', text: name }
  const answer: MessageFact = {
    ...common,
    id: `a-${name}`,
    parentId: question.id,
    role: 'assistant',
    author: 'billing',
    text: 'Yes.',
  }
  const of = { turnId: `t-${name}`, runId: `r-${name}` }
  await w.say({ type: 'message:received', payload: question })
  await w.say({ type: 'turn:started', payload: { turnId: of.turnId, messageId: question.id } })
  await w.say({
    type: 'agent:speaking',
    payload: { ...of, agent: 'billing', title: 'Billing', messageId: answer.id },
  })
  const tool = { ...of, callId: `c-${name}`, tool: 'lookup' }
  await w.say({ audience: 'ops', type: 'tool:called', payload: { ...tool, args: { name } }, ...call })
  await w.say({ audience: 'ops', type: 'tool:returned', payload: { ...tool, status: 'done', result: 1, ms: 5 } })
  await w.say({ type: 'text:delta', payload: { messageId: answer.id, offset: 0, text: 'Yes.' } })
  await w.say({ type: 'message:completed', payload: answer })
  await w.say({
    type: 'turn:ended',
    payload: { turnId: of.turnId, outcome: 'answered', error: null, report: null, ms: 9 },
  })
  await w.clock.advance(60_000)
  return [question, answer]
}

suite('what a snapshot tells of the past', ({ test }) => {
  test('an operator sees how finished turns went, tool calls included; a customer gets nothing of it', () =>
    world(async (w) => {
      const gateway = await w.gateway('g')
      const messages = [...(await turn(w, 'one')), ...(await turn(w, 'two'))]
      const operator = new LogClient(w, 'c1', true)
      const customer = new LogClient(w, 'c1')
      for (const client of [operator, customer]) {
        client.snapshotBody = { ...client.snapshotBody, messages }
        await w.clock.settle(client.connect(gateway))
      }
      assert.is(customer.snapshots[0]!.past, undefined)
      const [snapshot] = operator.snapshots
      const state = withPast(fromSnapshot(snapshot!), snapshot!.past!)
      assert.equal(
        state.turns.map(({ turnId, outcome, title, tools }) => [turnId, outcome, title, tools.map((one) => one.args)]),
        [
          ['t-one', 'answered', 'Billing', [{ name: 'one' }]],
          ['t-two', 'answered', 'Billing', [{ name: 'two' }]],
        ],
      )
      assert.equal(
        state.messages.map(({ text, status }) => [text, status]),
        ['one', 'Yes.', 'two', 'Yes.'].map((text) => [text, 'complete']),
      )
      assert.is(state.cursor, snapshot!.cursor)
      operator.disconnect()
      customer.disconnect()
    }))

  test('what an outdated activation said is not in it', () =>
    world(async (w) => {
      const gateway = await w.gateway('g')
      await w.say({ audience: 'sys', type: 'activation:opened', by: 'run/x', epoch: 2 })
      const messages = await turn(w, 'one', { by: 'run/x', epoch: 1 })
      const operator = new LogClient(w, 'c1', true)
      operator.snapshotBody = { ...operator.snapshotBody, messages }
      await w.clock.settle(operator.connect(gateway))
      const types = operator.snapshots[0]!.past!.map(({ type }) => type)
      assert.equal(types, ['turn:started', 'agent:speaking', 'tool:returned', 'turn:ended'])
      operator.disconnect()
    }))

  test('only of the newest turns, and a turn at work keeps what it has done', () =>
    world(async (w) => {
      const gateway = await w.gateway('g')
      const messages: MessageFact[] = []
      for (let n = 0; n < PAST_TURNS + 3; n++) messages.push(...(await turn(w, `n${n}`)))
      const operator = new LogClient(w, 'c1', true)
      const open = { turnId: 't-open', messageId: 'q-open', agent: 'billing', runId: 'r', answerId: 'a-open' }
      operator.snapshotBody = { ...operator.snapshotBody, messages, turns: [open] }
      await w.clock.settle(operator.connect(gateway))
      const [snapshot] = operator.snapshots
      const state = withPast(fromSnapshot(snapshot!), snapshot!.past!)
      assert.equal(
        state.turns.map(({ turnId }) => turnId),
        [...Array.from({ length: PAST_TURNS }, (_, n) => `t-n${n + 3}`), 't-open'],
      )
      assert.is(state.turns.at(-1)!.outcome, null)
      operator.disconnect()
    }))
})
