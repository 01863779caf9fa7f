import type { BrokerWorld } from './memory-consumer.ts'
import type { BucketEntry } from './port.ts'

interface Held extends BucketEntry {
  readonly expiresAt: number
}

type Watcher = (key: string, entry: BucketEntry | null) => void

/** How many past states are kept for stale reads. */
const HISTORY_STATES = 256

/**
 * One bucket of the memory broker. Entries go away ttlMs after they were put, seen by the next read and told to no
 * watcher (a broker of the oldest supported version tells none either).
 */
export class MemoryBucket {
  readonly #world: BrokerWorld
  readonly #watchers = new Set<Watcher>()
  readonly #history: { readonly at: number; readonly state: ReadonlyMap<string, Held> }[] = []
  readonly #ttlMs: number
  #state: ReadonlyMap<string, Held> = new Map()
  #revision = 0

  constructor(ttlMs: number, world: BrokerWorld) {
    this.#ttlMs = ttlMs
    this.#world = world
  }

  put(key: string, value: Uint8Array): number {
    const entry: Held = { value, revision: ++this.#revision, expiresAt: this.#world.now() + this.#ttlMs }
    this.#change((state) => state.set(key, entry))
    for (const watcher of this.#watchers) watcher(key, { value, revision: entry.revision })
    return entry.revision
  }

  delete(key: string): void {
    this.#revision++
    this.#change((state) => state.delete(key))
    for (const watcher of this.#watchers) watcher(key, null)
  }

  /** As of now, never stale: what a watcher compares with. */
  current(): ReadonlyMap<string, BucketEntry> {
    return this.#state
  }

  /** As of now, or as a lagging follower would answer. */
  entries(): ReadonlyMap<string, BucketEntry> {
    const now = this.#world.now()
    const { staleReadMs } = this.#world.faults
    const asOf = staleReadMs > 0 ? now - this.#world.random() * staleReadMs : now
    const state = this.#stateAt(asOf)
    const found = new Map<string, BucketEntry>()
    for (const [key, { value, revision, expiresAt }] of state) {
      if (expiresAt > asOf) found.set(key, { value, revision })
    }
    return found
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #change(edit: (state: Map<string, Held>) => void): void {
    this.#history.push({ at: this.#world.now(), state: this.#state })
    if (this.#history.length > HISTORY_STATES) this.#history.shift()
    const state = new Map([...this.#state].filter(([, { expiresAt }]) => expiresAt > this.#world.now()))
    edit(state)
    this.#state = state
  }

  /** Each past state was valid until `at`, when the next one replaced it. */
  #stateAt(asOf: number): ReadonlyMap<string, Held> {
    for (const past of this.#history) if (asOf < past.at) return past.state
    return this.#state
  }
}
