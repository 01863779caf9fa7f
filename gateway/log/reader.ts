import type { Snapshot } from '#shared/contracts/client.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Entry, ReadableAudience } from './entry.ts'
import type { Feed } from './feed.ts'
import { LAG_ENTRIES } from './limits.ts'
import type { Sink } from './sink.ts'
import { withoutSpentDeltas } from './thin.ts'
import type { View } from './view.ts'

export type SnapshotBody = Omit<Snapshot, 'cursor'>

/**
 * One subscription to the log. Modes:
 *
 * - *opened*: nothing is sent yet; `position` is where it will begin
 * - *joining*: a replay from `position` is due or under way
 * - *in step*: gets what its feed takes in; `position` is not kept up to date, the feed's head stands for it
 * - *aside*: its sink is full; stands at `position` until there is room, then joins again, thinned
 * - *restarting*: waits for a snapshot
 * - *closed*: nothing is sent any more, whatever is still under way
 */
export type ReaderMode = 'opened' | 'joining' | 'in step' | 'aside' | 'restarting' | 'closed'

/** A reader without the type of its entries: what it is handed goes through its own view before it reaches the sink. */
export interface Reader {
  readonly conversationId: string | null
  readonly audiences: readonly ReadableAudience[]
  /** Null for a watcher of a whole tenant, which has no state to be shown. */
  readonly takeSnapshot: (() => Promise<SnapshotBody>) | null
  /** Name of the room it shares; null: it is written to by itself. */
  readonly room: string | null
  readonly tenant: string
  feed: Feed | null
  mode: ReaderMode
  position: number
  /** The `position` with which it came to its feed: everything up to it, it has from elsewhere. */
  base: number
  /** Elapsed milliseconds at which it began to wait: for room, or for its replay. */
  since: number
  thin: boolean
  /** Fell too far behind for entries to make sense. */
  readonly overdue: boolean
  /** Hands over what lies after `position`, which then is `upTo`. */
  hand(entries: readonly Entry[], upTo: number): void
  /** The end of a replay: what a thinned one held back goes out. */
  land(): void
  /** In step: to this reader, or to everybody in its room. */
  send(entries: readonly Entry[]): void
  enter(): void
  leave(): void
  congested(): boolean
  snapshot(snapshot: Snapshot): void
  fail(error: WaggleError): void
}

export class TypedReader<E extends Entry> implements Reader {
  readonly conversationId: string | null
  readonly takeSnapshot: (() => Promise<SnapshotBody>) | null
  feed: Feed | null = null
  mode: ReaderMode = 'opened'
  position = 0
  base = 0
  since = 0
  thin = false
  readonly #view: View<E>
  readonly #sink: Sink<E>
  #backlog: Entry[] = []

  constructor(
    view: View<E>,
    sink: Sink<E>,
    conversationId: string | null,
    takeSnapshot: (() => Promise<SnapshotBody>) | null,
  ) {
    this.#view = view
    this.#sink = sink
    this.conversationId = conversationId
    this.takeSnapshot = takeSnapshot
  }

  get audiences(): readonly ReadableAudience[] {
    return this.#view.audiences
  }

  get tenant(): string {
    return this.#view.tenant
  }

  get room(): string | null {
    return this.#sink.room?.name ?? null
  }

  get overdue(): boolean {
    return this.#backlog.length > LAG_ENTRIES
  }

  hand(entries: readonly Entry[], upTo: number): void {
    const first = entries[0]
    if (first !== undefined) {
      const { position } = this
      const news = first.sequence > position ? entries : entries.filter(({ sequence }) => sequence > position)
      if (this.thin) this.#backlog.push(...news)
      else this.#write(news)
    }
    if (upTo > this.position) this.position = upTo
  }

  land(): void {
    const backlog = this.#backlog
    this.#backlog = []
    this.thin = false
    this.#write(withoutSpentDeltas(backlog))
  }

  send(entries: readonly Entry[]): void {
    const batch = this.#view.pick(entries)
    if (batch.length === 0) return
    const { room } = this.#sink
    if (room === undefined) this.#sink.entries(batch)
    else room.send(batch)
  }

  enter(): void {
    this.#sink.room?.enter()
  }

  leave(): void {
    this.#sink.room?.leave()
  }

  congested(): boolean {
    return this.#sink.congested()
  }

  snapshot(snapshot: Snapshot): void {
    this.#backlog = []
    this.thin = false
    this.#sink.snapshot(snapshot)
  }

  fail(error: WaggleError): void {
    this.mode = 'closed'
    this.#sink.failed(error)
  }

  #write(entries: readonly Entry[]): void {
    const batch = this.#view.pick(entries)
    if (batch.length > 0) this.#sink.entries(batch)
  }
}
