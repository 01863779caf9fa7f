import type { PresenceSignal, TypingSignal } from '#shared/contracts/client-control.ts'
import { Store } from './store.ts'
import type { Schedule, Subscribable } from './store.ts'

/** Writing that is not heard of again is over. */
export const TYPING_MS = 6_000

export interface LiveView {
  /** Who writes to the other side; people of the tenant have no name for a customer. */
  readonly typing: readonly { readonly user: string; readonly role: TypingSignal['role'] }[]
  /** Who of the tenant has the conversation before their eyes, oneself among them. Empty for a customer. */
  readonly people: PresenceSignal['people']
}

const NOBODY: LiveView = { typing: [], people: [] }

/** What is heard on the volatile lane of one conversation. Owns a timer for each who writes; `clear` gives them back. */
export class LiveSigns implements Subscribable<LiveView> {
  readonly #store: Store<LiveView>
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(schedule: Schedule | undefined) {
    this.#store = new Store(NOBODY, schedule)
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener)
  readonly getSnapshot = (): LiveView => this.#store.getSnapshot()

  typing({ user, role, on }: TypingSignal): void {
    const key = `${role} ${user}`
    clearTimeout(this.#timers.get(key))
    this.#timers.delete(key)
    const others = this.#store.latest.typing.filter((one) => one.user !== user || one.role !== role)
    this.#store.set({ ...this.#store.latest, typing: on ? [...others, { user, role }] : others })
    if (on)
      this.#timers.set(
        key,
        setTimeout(() => this.typing({ conversationId: '', user, role, on: false }), TYPING_MS),
      )
  }

  presence({ people }: PresenceSignal): void {
    this.#store.set({ ...this.#store.latest, people })
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#store.set(NOBODY)
  }
}
