/**
 * What waits for people in the whole tenant, for operators: read once after each connect, then kept current by the watch
 * over the swarm. An item is what its newest revision says, whichever of the two brings it; so neither a reload nor a
 * reconnect loses one, and nothing is derived from the stream alone.
 */
import type { ClientError, LogEntry } from '#shared/contracts/client.ts'
import type { ReviewItem } from '#shared/contracts/event-map.ts'
import type { ConnectionState } from './link.ts'
import { MAX_REVIEWS, foldReview, openReviews } from './fold-reviews.ts'
import { knownEntry } from './known-entry.ts'
import { failureOf } from './request-failed.ts'
import type { Reviews } from './reviews.ts'
import { Store } from './store.ts'
import type { Schedule, Subscribable } from './store.ts'

export interface InboxView {
  /** Open items, the oldest first. */
  readonly items: readonly ReviewItem[]
  /** Why there is no inbox; of a customer FORBIDDEN. */
  readonly error: ClientError | null
}

export interface InboxParts {
  readonly reviews: Reviews
  readonly connection: Subscribable<ConnectionState>
  readonly swarm: { readonly onEntry: (listener: (entry: LogEntry) => void) => () => void }
}

export class Inbox implements Subscribable<InboxView> {
  readonly #parts: InboxParts
  readonly #store: Store<InboxView>
  readonly #leave: readonly (() => void)[]
  #known: readonly ReviewItem[] = []
  #live = false

  constructor(parts: InboxParts, schedule?: Schedule) {
    this.#parts = parts
    this.#store = new Store<InboxView>({ items: [], error: null }, schedule)
    this.#leave = [
      parts.swarm.onEntry((entry) => {
        const known = knownEntry(entry)
        if (known?.type === 'review:changed') this.fold([known.payload])
      }),
      parts.connection.subscribe(() => this.#connected()),
    ]
    this.#connected()
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener)
  readonly getSnapshot = (): InboxView => this.#store.getSnapshot()

  /** Takes in what else is known of items: the answer to a decision, for one. */
  fold(items: readonly ReviewItem[]): void {
    let known = this.#known
    for (const item of items) known = foldReview(known, item)
    if (known === this.#known) return
    this.#known = known
    this.#store.set({ ...this.#store.latest, items: openReviews(known) })
  }

  close(): void {
    for (const leave of this.#leave) leave()
  }

  #connected(): void {
    const live = this.#parts.connection.getSnapshot().status === 'live'
    if (live && !this.#live) void this.#read()
    this.#live = live
  }

  async #read(): Promise<void> {
    try {
      const { reviews } = await this.#parts.reviews.list({ state: 'open', limit: MAX_REVIEWS })
      this.#store.set({ ...this.#store.latest, error: null })
      this.fold(reviews.toReversed())
    } catch (thrown) {
      this.#store.set({ ...this.#store.latest, error: failureOf(thrown) })
    }
  }
}
