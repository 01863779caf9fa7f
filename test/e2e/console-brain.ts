/**
 * What the fake gateway's swarm does with a question: routing, guardrails, a tool, an answer streamed word by word, and
 * the actors behind it. `pace` is waited for before each word, so that a test decides how far an answer has come.
 */
import type { EventPayload, MessageFact } from '#shared/contracts/event-map.ts'
import { turnIdOf } from '#test/unit/client/fake-gateway.ts'
import type { FakeGateway } from '#test/unit/client/fake-gateway.ts'
import type { StepPace } from './console-pace.ts'

export const ANSWER =
  'Your order 1042 left our warehouse on Monday. The parcel is with the carrier, and is due on Thursday. ' +
  'You can follow it with the number below:\n\n- carrier: **Hive Express**\n- tracking number: `HX-20931`'

/** Where the branch of each conversation ends: what is asked next follows it. */
const leaves = new WeakMap<FakeGateway, Map<string, string>>()

export async function answerAsDemo(
  gateway: FakeGateway,
  question: MessageFact,
  conversationId: string,
  pace: StepPace,
): Promise<void> {
  const turnId = turnIdOf(question)
  const runId = `run-${question.id}`
  const answerId = `${question.id}a`
  const say: typeof gateway.say = (...event) => gateway.say(...event)
  const actor = (kind: string, key: string, state: EventPayload<'actor:changed'>['state'], mailbox = 0): void => {
    say(conversationId, 'actor:changed', { kind, key, state, mailbox, node: 'node-1', reason: '' })
  }
  const check = (
    stage: EventPayload<'guardrail:checked'>['stage'],
    guardrail: string,
    verdict: 'pass' | 'rewrite',
    reason = '',
  ): void => {
    say(conversationId, 'guardrail:checked', { turnId, runId, stage, guardrail, verdict, reason, ms: 1.4 })
  }
  actor('supervisor', conversationId, 'running', 1)
  const leaf = leaves.get(gateway) ?? new Map<string, string>()
  leaves.set(gateway, leaf)
  say(conversationId, 'turn:started', { turnId, messageId: question.id, after: leaf.get(conversationId) ?? null })
  leaf.set(conversationId, question.id)
  say(conversationId, 'route:decided', { turnId, agent: 'technical', reason: 'It asks about an order.', ms: 3 })
  actor('supervisor', conversationId, 'awake')
  actor('agent', `${conversationId}--technical`, 'awake', 1)
  actor('run', `${conversationId}--${runId}`, 'running')
  say(conversationId, 'run:started', { turnId, runId, agent: 'technical', attempt: 1, model: 'builtin' })
  actor('guardrail', 'personal-data', 'running', 2)
  check('input', 'personal_data', 'pass')
  check('input', 'secrets', 'pass')
  say(conversationId, 'agent:speaking', {
    turnId,
    runId,
    agent: 'technical',
    title: 'Order support',
    messageId: answerId,
  })
  say(conversationId, 'run:progress', { turnId, runId, step: 'plan', label: 'Working out what is asked' })
  say(conversationId, 'run:progress', { turnId, runId, step: 'act', label: 'Looking up the order' })
  actor('tool', 'lookup-order-status', 'running')
  say(conversationId, 'tool:called', {
    turnId,
    runId,
    callId: `call-${runId}`,
    tool: 'lookup_order_status',
    args: { order_id: '1042' },
  })
  if (!(await pace.step(turnId))) return stopped()
  const result = {
    order_id: '1042',
    status: 'shipped',
    carrier: 'Hive Express',
    due: '2026-11-26',
    tracking: 'HX-20931',
  }
  say(conversationId, 'tool:returned', {
    turnId,
    runId,
    callId: `call-${runId}`,
    tool: 'lookup_order_status',
    status: 'done',
    result,
    ms: 38,
  })
  actor('tool', 'lookup-order-status', 'awake')
  check('tool_result', 'personal_data', 'rewrite', 'A phone number was hidden.')
  say(conversationId, 'run:progress', { turnId, runId, step: 'respond', label: 'Writing the answer' })

  let offset = 0
  for (const word of ANSWER.match(/\S+\s*/g) ?? []) {
    if (!(await pace.step(turnId))) return stopped()
    say(conversationId, 'text:delta', { messageId: answerId, offset, text: word })
    offset += word.length
  }
  check('output', 'personal_data', 'pass')
  const citations = [
    {
      mark: 1,
      documentId: 'shipping',
      version: 1,
      title: 'Shipping',
      headings: ['Delivery'],
      quote: 'Orders are shipped within two days.',
      start: 0,
      end: 35,
      page: 0,
      boxes: [],
      link: '/#/documents/shipping/1/0-35',
    },
  ]
  say(
    conversationId,
    'message:completed',
    gateway.fact({
      id: answerId,
      parentId: question.id,
      author: 'technical',
      text: ANSWER,
      citations,
      extractive: true,
    }),
  )
  leaf.set(conversationId, answerId)
  ended('answered', null)

  function stopped(): void {
    ended('stopped', { stopped: ['the run', 'the model'], couldNot: [], happened: ['lookup_order_status'] })
  }
  function ended(outcome: 'answered' | 'stopped', report: EventPayload<'turn:ended'>['report']): void {
    const usage = { inputTokens: 212, outputTokens: 64, cachedTokens: 0, costMicros: 0 }
    say(conversationId, 'run:ended', {
      turnId,
      runId,
      agent: 'technical',
      outcome,
      steps: 4,
      usage,
      error: null,
      ms: 412,
    })
    say(conversationId, 'turn:ended', { turnId, outcome, error: null, report, ms: 431 })
    actor('run', `${conversationId}--${runId}`, 'ended')
    actor('guardrail', 'personal-data', 'awake')
    actor('agent', `${conversationId}--technical`, 'awake')
  }
}
