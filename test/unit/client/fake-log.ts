import type { LogEntry, Snapshot } from '#shared/contracts/client.ts'
import { EVENTS } from '#shared/contracts/event-map.ts'
import type { EventPayload, EventType, MessageFact } from '#shared/contracts/event-map.ts'

/** The log and the database of the fake gateway: numbered entries, and what a snapshot would say of them. */
export class FakeLog {
  #entries: LogEntry[] = []
  #conversations = new Set<string>()
  #incarnation = 'one'
  #ids = 0

  get head(): string {
    return `${this.#incarnation}.${this.#entries.length}`
  }

  newId(prefix: string): string {
    this.#ids += 1
    return `${prefix}${String(this.#ids).padStart(6, '0')}`
  }

  open(conversationId = this.newId('conv')): string {
    this.#conversations.add(conversationId)
    this.append(conversationId, 'conversation:opened', { user: 'ann', channel: 'web' }, 'supervisor')
    return conversationId
  }

  has(conversationId: string): boolean {
    return this.#conversations.has(conversationId)
  }

  append<Type extends EventType>(
    conversationId: string,
    type: Type,
    payload: EventPayload<Type>,
    by: string,
  ): LogEntry {
    const sequence = this.#entries.length + 1
    const entry: LogEntry = {
      cursor: `${this.#incarnation}.${sequence}`,
      conversationId,
      audience: EVENTS[type].audience,
      id: `e${sequence}`,
      type,
      by,
      at: Date.now(),
      payload: JSON.parse(JSON.stringify(payload)) as unknown,
    }
    this.#entries.push(entry)
    return entry
  }

  knows(cursor: string): boolean {
    const [incarnation, sequence] = cursor.split('.')
    return incarnation === this.#incarnation && Number(sequence) <= this.#entries.length
  }

  /** Null: of all conversations. */
  after(conversationId: string | null, cursor: string): LogEntry[] {
    const sequence = Number(cursor.split('.')[1])
    return this.#entries
      .slice(sequence)
      .filter((entry) => conversationId === null || entry.conversationId === conversationId)
  }

  /** The log begins anew, as after the loss of its stream: old cursors mean nothing; what was stored stays stored. */
  beginAnew(): void {
    this.#incarnation += 'x'
  }

  stored(conversationId: string, clientId: string): MessageFact | undefined {
    return this.#facts(conversationId).find((fact) => fact.clientId === clientId)
  }

  /** Taken before the first delta of an answer that is not finished, so that a reader gets its text from the start. */
  snapshot(conversationId: string): Snapshot {
    const entries = this.#of(conversationId)
    const facts = this.#facts(conversationId)
    const ended = new Set(entries.flatMap((entry) => (entry.type === 'turn:ended' ? [turnId(entry)] : [])))
    const running = entries.find((entry) => entry.type === 'turn:started' && !ended.has(turnId(entry)))
    const at = running === undefined ? this.#entries.length : this.#entries.indexOf(running)
    return {
      cursor: `${this.#incarnation}.${at}`,
      conversationId,
      messages: facts,
      turns: entries
        .filter((entry) => entry.type === 'turn:started' && !ended.has(turnId(entry)))
        .map((entry) => ({
          turnId: turnId(entry),
          messageId: (entry.payload as EventPayload<'turn:started'>).messageId,
          agent: null,
          runId: null,
          answerId: null,
        })),
      control: { owner: 'general', mode: 'auto', control: 1 },
      staff: null,
    }
  }

  #of(conversationId: string): LogEntry[] {
    return this.#entries.filter((entry) => entry.conversationId === conversationId)
  }

  #facts(conversationId: string): MessageFact[] {
    const facts = this.#of(conversationId)
      .filter((entry) => entry.type === 'message:received' || entry.type === 'message:completed')
      .map((entry) => entry.payload as MessageFact)
    return [...new Map(facts.map((fact) => [fact.id, fact])).values()]
  }
}

function turnId(entry: LogEntry): string {
  return (entry.payload as { turnId: string }).turnId
}
