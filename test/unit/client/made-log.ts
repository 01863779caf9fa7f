/**
 * Makes the log of a lively conversation from a seed: questions that overlap, answers that are streamed, resumed by a
 * new attempt, cut, retracted, finished twice by an outbox relayed twice, deltas that were lost before the log, tools,
 * guardrails, and events of a version that does not exist yet. Also what a snapshot at any place of it would say.
 */
import type { LogEntry, Snapshot } from '#shared/contracts/client.ts'
import type { EventPayload, EventType, MessageFact } from '#shared/contracts/event-map.ts'
import { seededRandom } from '#shared/lib/random.ts'

const CONVERSATION = 'conv1'
const WORDS = ['order', 'the', 'parcel', 'left', 'on', 'Monday', 'and', 'is', 'due', '🐝', 'tomorrow', '\n', 'sorry']

export interface MadeLog {
  readonly entries: readonly LogEntry[]
  /** The state of the database and the cursor after the first `count` entries. */
  readonly snapshotAt: (count: number) => Snapshot
  /** The final text of each message that was finished. */
  readonly finished: ReadonlyMap<string, string>
}

export function makeLog(seed: number, turns = 4): MadeLog {
  const random = seededRandom(seed)
  const entries: LogEntry[] = []
  const finished = new Map<string, string>()
  let sequence = 0

  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  const chance = (share: number): boolean => random() < share
  const sentence = (): string => Array.from({ length: 1 + Math.floor(random() * 6) }, () => pick(WORDS)).join(' ')
  const push = (type: string, payload: unknown): void => {
    sequence += 1 + Math.floor(random() * 3) // other conversations write into the same log
    const cursor = `inc1.${sequence}`
    entries.push({
      cursor,
      conversationId: CONVERSATION,
      audience: 'pub',
      id: `e${sequence}`,
      type,
      by: 'agent/x',
      at: sequence,
      payload,
    })
  }
  const say = <Type extends EventType>(type: Type, payload: EventPayload<Type>): void => {
    push(type, payload)
    // A relay that crashed before it marked the row sends the same fact again, later in the log.
    if (type !== 'text:delta' && chance(0.1)) push(type, payload)
  }
  const fact = (change: Partial<MessageFact> & Pick<MessageFact, 'id'>): MessageFact => ({
    clientId: '',
    parentId: null,
    role: 'assistant',
    author: 'billing',
    text: sentence(),
    citations: [],
    extractive: true,
    data: null,
    revision: 1,
    at: sequence,
    ...change,
  })

  function* stream(messageId: string): Generator<undefined> {
    let text = ''
    for (let step = Math.floor(random() * 8); step > 0; step -= 1) {
      const before = text
      const delta = sentence()
      if (chance(0.1)) text = '' // a new attempt begins the text again
      const offset = text.length
      text += delta
      if (chance(0.15)) {
        yield // this delta never reached the log; the next one leaves a gap, or the text so far heals it
        if (chance(0.5))
          say('text:delta', {
            messageId,
            offset: Math.min(offset, before.length),
            text: text.slice(Math.min(offset, before.length)),
          })
      } else say('text:delta', { messageId, offset, text: delta })
      yield
    }
  }

  function* turn(number: number): Generator<undefined> {
    const turnId = `t${number}`
    const questionId = `m${number}0`
    const answerId = `m${number}1`
    const runId = `r${number}`
    const question = fact({ id: questionId, role: 'user', author: 'ann', clientId: `c${number}` })
    say('message:received', question)
    finished.set(questionId, question.text)
    yield
    say('turn:started', { turnId, messageId: questionId })
    say('route:decided', { turnId, agent: 'billing', reason: 'It is about money.', ms: 2 })
    yield
    say('guardrail:checked', {
      turnId,
      runId: '',
      stage: 'input',
      guardrail: 'pii',
      verdict: pick(['pass', 'rewrite']),
      reason: '',
      ms: 1,
    })
    say('run:started', { turnId, runId, agent: 'billing', attempt: 1, model: 'builtin' })
    say('agent:speaking', { turnId, runId, agent: 'billing', title: 'Billing', messageId: answerId })
    yield
    if (chance(0.6)) {
      say('run:progress', { turnId, runId, step: 'act', label: 'Looking it up' })
      say('tool:called', { turnId, runId, callId: `k${number}`, tool: 'lookup', args: { id: number } })
      yield
      say('tool:returned', {
        turnId,
        runId,
        callId: `k${number}`,
        tool: 'lookup',
        status: 'done',
        result: { ok: true },
        ms: 3,
      })
    }
    if (chance(0.2)) push('weather:changed', { anything: true })
    yield* stream(answerId)
    if (chance(0.2)) {
      // A second agent answers the same question, and is done first.
      const second = fact({ id: `m${number}2`, parentId: questionId, author: 'general' })
      say('message:completed', second)
      finished.set(second.id, second.text)
    }
    if (chance(0.2)) {
      say('message:retracted', { messageId: answerId, reason: 'It named a person.' })
      yield
      if (chance(0.5)) yield* stream(answerId)
    }
    if (chance(0.85)) {
      const answer = fact({ id: answerId, parentId: questionId })
      say('message:completed', answer)
      finished.set(answerId, answer.text)
      yield
      if (chance(0.2)) {
        const edited = { ...answer, text: sentence(), revision: 2 }
        say('message:completed', edited)
        finished.set(answerId, edited.text)
      }
      say('turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 5 })
    } else {
      say('turn:ended', { turnId, outcome: 'stopped', error: null, report: null, ms: 5 })
    }
  }

  push('conversation:opened', { user: 'ann', channel: 'web' })
  const waiting = Array.from({ length: turns }, (_, index) => turn(index + 1))
  const running: Generator<undefined>[] = []
  while (waiting.length > 0 || running.length > 0) {
    if (running.length === 0 || (waiting.length > 0 && chance(0.08))) running.push(waiting.shift()!)
    const next = pick(running)
    if (next.next().done === true) running.splice(running.indexOf(next), 1)
  }
  return { entries, finished, snapshotAt: (count) => snapshotOf(entries.slice(0, count)) }
}

/** The database after these entries, as its rows would be: no streamed text, no turn that is over. */
function snapshotOf(entries: readonly LogEntry[]): Snapshot {
  const messages = new Map<string, MessageFact>()
  const turns = new Map<string, Snapshot['turns'][number]>()
  const over = new Set<string>()
  for (const { type, payload } of entries) {
    if (type === 'message:received' || type === 'message:completed') {
      const fact = payload as MessageFact
      if ((messages.get(fact.id)?.revision ?? 0) < fact.revision) messages.set(fact.id, fact)
    }
    if (type === 'turn:started') {
      const { turnId, messageId } = payload as EventPayload<'turn:started'>
      if (!over.has(turnId) && !turns.has(turnId))
        turns.set(turnId, { turnId, messageId, agent: null, runId: null, answerId: null })
    }
    if (type === 'agent:speaking') {
      const { turnId, agent, runId, messageId } = payload as EventPayload<'agent:speaking'>
      const known = turns.get(turnId)
      if (known !== undefined) turns.set(turnId, { ...known, agent, runId, answerId: messageId })
    }
    if (type === 'turn:ended') {
      const { turnId } = payload as EventPayload<'turn:ended'>
      over.add(turnId)
      turns.delete(turnId)
    }
  }
  return {
    cursor: entries.at(-1)?.cursor ?? 'inc1.0',
    conversationId: CONVERSATION,
    messages: [...messages.values()],
    turns: [...turns.values()],
    control: { owner: '', mode: 'auto', control: 0 },
    staff: null,
  }
}
