import type { EventLog } from '#shared/actor/event-log.ts'
import { filters } from '#shared/wire/subjects.ts'
import type { Subscription, Transport } from '#shared/transport/port.ts'
import type { Feed } from './feed.ts'
import { Incoming } from './incoming.ts'

export interface LiveLaneParts {
  readonly transport: Transport
  readonly events: EventLog
  readonly tenant: string
  /** Finds out where the logs are now. */
  readonly look: () => Promise<unknown>
  readonly note: (sequence: number) => void
}

/** The one broker subscription of a tenant in this process, for all its feeds; made with the first, gone with the last. */
export class LiveLane {
  readonly tenant: string
  readonly #transport: Transport
  readonly #feeds = new Map<string, Feed>()
  readonly #watchers = new Set<Feed>()
  readonly #subscription: Subscription
  readonly #look: () => Promise<unknown>
  #ready: Promise<unknown> | null = null

  constructor({ transport, events, tenant, look, note }: LiveLaneParts) {
    this.tenant = tenant
    this.#transport = transport
    this.#look = look
    this.#subscription = transport.subscribe(filters.liveOfTenant(tenant), (message) => {
      const incoming = Incoming.live(message, tenant)
      if (incoming === null) return
      const isOwn = events.placeOf(tenant) !== null
      if (incoming.own !== isOwn) {
        // Not heard of before; or of somebody who has not, whom nobody reads.
        if (incoming.own) look().catch(() => undefined)
        return
      }
      note(incoming.sequence)
      this.#feeds.get(incoming.scope)?.take(incoming)
      for (const watcher of this.#watchers) watcher.take(incoming)
    })
  }

  /**
   * Resolves when the broker knows of the subscription, and it is known where the log of this tenant is: what is stored
   * from then on comes here, or is a gap.
   */
  async ready(): Promise<void> {
    this.#ready ??= this.#transport.flush().then(this.#look)
    try {
      await this.#ready
    } catch (error) {
      this.#ready = null
      throw error
    }
  }

  get empty(): boolean {
    return this.#feeds.size === 0 && this.#watchers.size === 0
  }

  feed(scope: string): Feed | undefined {
    return this.#feeds.get(scope)
  }

  add(feed: Feed): void {
    if (feed.scope === null) this.#watchers.add(feed)
    else this.#feeds.set(feed.scope, feed)
  }

  remove(feed: Feed): void {
    if (feed.scope === null) this.#watchers.delete(feed)
    else if (this.#feeds.get(feed.scope) === feed) this.#feeds.delete(feed.scope)
  }

  *all(): Iterable<Feed> {
    yield* this.#feeds.values()
    yield* this.#watchers
  }

  close(): void {
    this.#subscription.unsubscribe()
  }
}
