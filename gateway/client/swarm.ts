/**
 * The watch over a tenant's whole swarm: every event, by cursor, folded into `SwarmState`. Entries wait until the next
 * flush and are folded as one batch, so that thousands a second cost one fold per frame.
 */
import type { ClientError, LogEntry } from '#shared/contracts/client.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import type { Link, Participant } from './link.ts'
import { Pause } from './pause.ts'
import { ScopeCursors } from './scope-cursors.ts'
import { failureOf, isRetryable, retryAfterMs } from './request-failed.ts'
import { Store } from './store.ts'
import type { Schedule, Subscribable } from './store.ts'
import { emptySwarm, reduceSwarm } from './swarm-state.ts'
import type { SwarmState } from './swarm-state.ts'

/** Entries that wait for a flush that does not come (a hidden page); then they are folded at once (I11). */
const BATCH_MAX = 5000

export interface SwarmView {
  /** `failed`: this principal may not watch, `error` says why. */
  readonly phase: 'opening' | 'open' | 'failed' | 'closed'
  readonly error: ClientError | null
  readonly state: SwarmState
}

export interface SwarmOptions {
  /** Starts behind this cursor instead of now. */
  readonly after?: string | undefined
  /** Another pace than the client's: a picture of thousands of events a second need not be drawn at each frame. */
  readonly schedule?: Schedule | undefined
}

export class Swarm implements Subscribable<SwarmView>, Participant {
  readonly #link: Link
  readonly #retry: { readonly firstMs: number; readonly maxMs: number }
  readonly #store: Store<SwarmView>
  readonly #pause = new Pause()
  readonly #listeners = new Set<(entry: LogEntry) => void>()
  readonly #schedule: Schedule
  readonly #scopes = new ScopeCursors()
  #batch: LogEntry[] = []
  #scheduled = false
  #generation = 0
  #leave: () => void = () => undefined

  constructor(
    link: Link,
    retry: { readonly firstMs: number; readonly maxMs: number },
    schedule: Schedule,
    options: SwarmOptions,
  ) {
    this.#link = link
    this.#retry = retry
    this.#schedule = options.schedule ?? schedule
    // The batch waits for the frame; the store has nothing more to wait for.
    const state = emptySwarm(options.after ?? null)
    this.#store = new Store<SwarmView>({ phase: 'opening', error: null, state }, (flush) => flush())
    this.#leave = link.join(this)
  }

  get latest(): SwarmView {
    this.#fold()
    return this.#store.latest
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener)
  readonly getSnapshot = (): SwarmView => this.#store.getSnapshot()

  /** Each entry once, as it comes. */
  onEntry(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  readonly close = (): void => {
    if (this.#store.latest.phase === 'closed') return
    this.#generation += 1
    this.#pause.end()
    this.#leave()
    this.#set({ phase: 'closed' })
    if (this.#link.connected) void this.#link.request('swarm:unwatch', {}).catch(() => undefined)
  }

  // Called by the link.

  readonly up = async (): Promise<void> => {
    const generation = ++this.#generation
    if (this.#store.latest.phase === 'failed') return
    for (let attempt = 0; ; attempt += 1) {
      const { cursor } = this.latest.state
      try {
        const answer = await this.#link.request('swarm:watch', cursor === null ? {} : { after: cursor })
        if (generation !== this.#generation) return
        const { state } = this.latest
        this.#set({ phase: 'open', error: null, state: { ...state, cursor: state.cursor ?? answer.cursor } })
        return
      } catch (thrown) {
        if (generation !== this.#generation) return
        const error = failureOf(thrown)
        this.#set(isRetryable(error) ? { error } : { phase: 'failed', error })
        if (!isRetryable(error)) return
        const { firstMs, maxMs } = this.#retry
        await this.#pause.wait(Math.max(retryAfterMs(error), backoffMs(attempt, firstMs, maxMs, Math.random)))
        if (generation !== this.#generation) return
      }
    }
  }

  readonly down = (): void => {
    this.#generation += 1
    this.#pause.end()
  }

  readonly swarm = (entries: readonly LogEntry[]): void => {
    for (const entry of entries) {
      if (!this.#scopes.isNew(entry)) continue
      this.#batch.push(entry)
      for (const listener of this.#listeners) listener(entry)
    }
    if (this.#batch.length > BATCH_MAX) this.#fold()
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(() => {
      this.#scheduled = false
      this.#fold()
    })
  }

  #fold(): void {
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#set({ state: reduceSwarm(this.#store.latest.state, batch) })
  }

  #set(change: Partial<SwarmView>): void {
    this.#store.set({ ...this.#store.latest, ...change })
  }
}
