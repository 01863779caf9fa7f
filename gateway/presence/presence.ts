import type { Clock } from '#shared/lib/clock.ts'
import type { Transport } from '#shared/transport/port.ts'
import { ConversationPeople } from './conversation-people.ts'
import type { Seat } from './conversation-people.ts'

/** Typing and presence in the conversations that are open on this gateway; made with the first seat, gone with the last. */
export class Presence {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #conversations = new Map<string, ConversationPeople>()

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  enter(tenant: string, conversationId: string, seat: Seat): void {
    const key = `${tenant}/${conversationId}`
    const people =
      this.#conversations.get(key) ?? new ConversationPeople(this.#transport, this.#clock, tenant, conversationId)
    this.#conversations.set(key, people)
    people.enter(seat)
  }

  leave(tenant: string, conversationId: string, seat: string): void {
    const key = `${tenant}/${conversationId}`
    const people = this.#conversations.get(key)
    people?.leave(seat)
    if (people?.empty === true) this.#conversations.delete(key)
  }

  /** Ignored where nothing is open on this seat. */
  typing(tenant: string, conversationId: string, seat: string, on: boolean, where: 'reply' | 'note'): void {
    this.#conversations.get(`${tenant}/${conversationId}`)?.typing(seat, on, where)
  }

  close(): void {
    for (const people of this.#conversations.values()) people.close()
    this.#conversations.clear()
  }
}
