import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import type { ExecuteResult, Snapshot } from '#shared/contracts/client.ts'
import type { EventPayload, MessageFact } from '#shared/contracts/event-map.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { PublicEntry } from '#gateway/log/entry.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { View } from '#gateway/log/view.ts'
import { openConversation, sendMessage, takeSnapshot } from '#gateway/operations/messages.ts'

export interface Execution {
  readonly reader: LogReader
  readonly principal: Principal
  readonly reach: Reach
  readonly agent: string
  readonly text: string
  readonly id?: string | undefined
  readonly conversationId?: string | undefined
  readonly withinMs: number
  readonly signal: AbortSignal
}

const CHANNEL = 'rest'

/**
 * One question, one answer: reads the log until the turn ends. The run goes on when nobody waits any more (I4): what it
 * says is found in the conversation, which the DEADLINE names.
 */
export async function executeAgent(request: Execution): Promise<z.infer<typeof ExecuteResult>> {
  const { reader, principal, reach, agent, text, withinMs, signal } = request
  const conversationId = request.conversationId ?? newId()
  await openConversation(reach, conversationId, CHANNEL)
  const turn = new TurnWatch()
  const late = setTimeout(() => turn.fail(refuse('DEADLINE', { conversationId, turnId: turn.id })), withinMs)
  const onAbort = (): void => turn.fail(new WaggleError('CANCELLED'))
  signal.addEventListener('abort', onAbort, { once: true })
  const opening = await reader.open({
    view: View.customer(principal),
    conversationId,
    after: undefined,
    takeSnapshot: () => takeSnapshot(reach, conversationId, false),
    sink: {
      entries: (batch) => batch.forEach((entry) => turn.hear(entry)),
      snapshot: (snapshot) => turn.replace(snapshot),
      congested: () => false,
      failed: (error) => turn.fail(error),
    },
  })
  try {
    signal.throwIfAborted()
    opening.start()
    const receipt = await Promise.race([
      sendMessage(reach, { conversationId, id: request.id ?? newId(), text, agent }, CHANNEL),
      turn.failed,
    ])
    if (receipt.status === 'pending') throw refuse('PENDING', { conversationId })
    turn.expect(receipt.turnId, receipt.messageId)
    return { conversationId, turnId: receipt.turnId, ...(await turn.ended) }
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', onAbort)
    opening.close()
  }
}

type End = Pick<z.infer<typeof ExecuteResult>, 'outcome' | 'message' | 'report'>

/** Hears a conversation's entries, perhaps before it is known which turn is meant, and settles when that one is over. */
class TurnWatch {
  readonly ended: Promise<End>
  /** Only ever rejects. */
  readonly failed: Promise<never>
  id = ''
  #question = ''
  readonly #ends = new Map<string, EventPayload<'turn:ended'>>()
  readonly #answers = new Map<string, MessageFact>()
  #settle: (end: End) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor() {
    this.ended = new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#reject = reject
    })
    this.failed = this.ended.then(() => new Promise<never>(() => {}))
    this.ended.catch(() => {})
    this.failed.catch(() => {})
  }

  expect(turnId: string, messageId: string): void {
    this.id = turnId
    this.#question = messageId
    this.#look()
  }

  hear({ wire: { type, payload } }: PublicEntry): void {
    if (type === 'message:completed') this.#keep(payload as MessageFact)
    if (type !== 'turn:ended') return
    const end = payload as EventPayload<'turn:ended'>
    this.#ends.set(end.turnId, end)
    this.#look()
  }

  /** The log began anew: a turn that is no longer open has ended, with what is stored. */
  replace(snapshot: Snapshot): void {
    for (const message of snapshot.messages) if (message.role === 'assistant') this.#keep(message)
    if (this.id === '' || snapshot.turns.some(({ turnId }) => turnId === this.id)) return
    const message = this.#answers.get(this.#question) ?? null
    this.#settle({ outcome: message === null ? 'failed' : 'answered', message, report: null })
  }

  fail(error: Error): void {
    this.#reject(error)
  }

  /** Of several answers to one question, the last. */
  #keep(message: MessageFact): void {
    if (message.parentId !== null) this.#answers.set(message.parentId, message)
  }

  #look(): void {
    const end = this.#ends.get(this.id)
    if (end === undefined) return
    this.#settle({ outcome: end.outcome, message: this.#answers.get(this.#question) ?? null, report: end.report })
  }
}
