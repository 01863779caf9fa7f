import type { PresenceSignal, TypingSignal } from '#shared/contracts/client-control.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'
import type { Subscription, Transport } from '#shared/transport/port.ts'
import { conversationSignals, decodeSignal, encodeSignal } from './signal.ts'
import type { PersonState, Signal, SignalAudience } from './signal.ts'

/** Whoever is there says so this often, and is gone when nothing was heard for longer than the second time. */
export const HERE_EVERY_MS = 10_000
export const GONE_AFTER_MS = 25_000
/** Writing that is not said again is over. */
export const TYPING_MS = 6_000
/** Seats of others remembered of one conversation; more are not shown (I11). */
const MAX_OTHERS = 100

export interface Seat {
  readonly name: string
  readonly user: string
  readonly staff: boolean
  readonly typing: (signal: TypingSignal) => void
  readonly presence: (signal: PresenceSignal) => void
}

interface Here {
  readonly user: string
  readonly state: PersonState
  readonly until: number
}

/**
 * The people of one conversation as this gateway knows them: its own seats, and those that others tell of. Everything here
 * is volatile: a lost signal is repaired by the next one, and nothing waits for it. Owns two subscriptions and one timer;
 * `close` gives them back when the last seat has left.
 */
export class ConversationPeople {
  readonly #tenant: string
  readonly #conversationId: string
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #seats = new Map<string, Seat>()
  readonly #states = new Map<string, { state: PersonState; until: number }>()
  /** People of the tenant by seat, also our own: all hear the same. */
  readonly #here = new Map<string, Here>()
  readonly #subscriptions = new Map<SignalAudience, Subscription>()
  #timer: Cancel | null = null
  #shown = '[]'

  constructor(transport: Transport, clock: Clock, tenant: string, conversationId: string) {
    this.#transport = transport
    this.#clock = clock
    this.#tenant = tenant
    this.#conversationId = conversationId
  }

  get empty(): boolean {
    return this.#seats.size === 0
  }

  enter(seat: Seat): void {
    this.#seats.set(seat.name, seat)
    this.#listen('pub')
    if (!seat.staff) return
    this.#listen('ops')
    this.#timer ??= this.#clock.setTimeout(() => this.#beat(), HERE_EVERY_MS)
    this.#publish('ops', { kind: 'who', seat: seat.name })
    this.#sayHere(seat)
    seat.presence(this.#presence())
  }

  leave(name: string): void {
    const seat = this.#seats.get(name)
    if (seat === undefined) return
    this.#seats.delete(name)
    this.#states.delete(name)
    if (seat.staff) this.#publish('ops', { kind: 'gone', seat: name })
    if (this.empty) this.close()
  }

  /** Somebody writes: an answer, which the other side may know of, or something for colleagues, which it may not. */
  typing(name: string, on: boolean, where: 'reply' | 'note'): void {
    const seat = this.#seats.get(name)
    if (seat === undefined) return
    const { staff, user } = seat
    if (where === 'reply') this.#publish('pub', { kind: 'typing', seat: name, user: staff ? '' : user, staff, on })
    if (!staff) return
    const state = !on ? 'viewing' : where === 'reply' ? 'replying' : 'noting'
    this.#states.set(name, { state, until: this.#clock.now() + TYPING_MS })
    this.#sayHere(seat)
  }

  close(): void {
    this.#timer?.()
    this.#timer = null
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe()
    this.#subscriptions.clear()
  }

  #listen(audience: SignalAudience): void {
    if (this.#subscriptions.has(audience)) return
    const subject = conversationSignals(this.#tenant, this.#conversationId, audience)
    const subscription = this.#transport.subscribe(subject, ({ data }) => {
      const signal = decodeSignal(data)
      if (signal !== null) this.#hear(signal, audience)
    })
    this.#subscriptions.set(audience, subscription)
  }

  #hear(signal: Signal, audience: SignalAudience): void {
    if (signal.kind === 'typing') {
      const { seat: from, user, staff, on } = signal
      const role = staff ? 'operator' : 'customer'
      for (const seat of this.#seats.values())
        if (seat.name !== from) seat.typing({ conversationId: this.#conversationId, user, role, on })
      return
    }
    // Who of the tenant is there is said to their colleagues only.
    if (audience !== 'ops') return
    if (signal.kind === 'who') {
      if (!this.#seats.has(signal.seat)) for (const seat of this.#seats.values()) if (seat.staff) this.#sayHere(seat)
      return
    }
    if (signal.kind === 'gone') this.#here.delete(signal.seat)
    else if (this.#here.has(signal.seat) || this.#here.size < MAX_OTHERS) {
      const { user, state } = signal
      this.#here.set(signal.seat, { user, state, until: this.#clock.now() + GONE_AFTER_MS })
    }
    this.#show()
  }

  #sayHere({ name, user }: Seat): void {
    const known = this.#states.get(name)
    const state = known === undefined || known.until <= this.#clock.now() ? 'viewing' : known.state
    this.#publish('ops', { kind: 'here', seat: name, user, state })
  }

  #beat(): void {
    this.#timer = this.#clock.setTimeout(() => this.#beat(), HERE_EVERY_MS)
    const now = this.#clock.now()
    for (const [name, { until }] of this.#here) if (until <= now) this.#here.delete(name)
    for (const seat of this.#seats.values()) if (seat.staff) this.#sayHere(seat)
    this.#show()
  }

  /** To our own people of the tenant, when it is something else than before. */
  #show(): void {
    const presence = this.#presence()
    const shown = JSON.stringify(presence.people)
    if (shown === this.#shown) return
    this.#shown = shown
    for (const seat of this.#seats.values()) if (seat.staff) seat.presence(presence)
  }

  /** Each person once, with the most that one of their connections does. */
  #presence(): PresenceSignal {
    const rank = { viewing: 0, noting: 1, replying: 2 } as const
    const people = new Map<string, PersonState>()
    for (const { user, state } of this.#here.values()) {
      const known = people.get(user)
      if (known === undefined || rank[state] > rank[known]) people.set(user, state)
    }
    return {
      conversationId: this.#conversationId,
      people: [...people].map(([user, state]) => ({ user, state })).toSorted((a, b) => (a.user < b.user ? -1 : 1)),
    }
  }

  #publish(audience: SignalAudience, signal: Signal): void {
    try {
      this.#transport.publish(conversationSignals(this.#tenant, this.#conversationId, audience), encodeSignal(signal))
    } catch {
      // Without a broker nobody is told; the next beat tells them.
    }
  }
}
