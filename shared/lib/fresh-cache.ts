import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

/**
 * Remembers what a slow source said for a short time. Owns its entries; the source is asked by one caller per key at a
 * time, however many want the answer (no stampede), and never because an entry is merely wanted often.
 *
 * Invariants: an answer older than `ttlMs` is not handed out; a failure is handed to everybody who waited for it and is
 * not remembered; at most `capacity` answers are kept, the longest unused goes first; an answer that was forgotten while
 * it was under way is not kept.
 */
export class FreshCache<Value> {
  readonly #load: (key: string) => Promise<Value>
  readonly #ttlMs: number
  readonly #capacity: number
  readonly #clock: Clock
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>()
  readonly #underWay = new Map<string, Promise<Value>>()

  constructor(options: {
    readonly load: (key: string) => Promise<Value>
    readonly ttlMs: number
    readonly capacity: number
    readonly clock?: Clock
  }) {
    this.#load = options.load
    this.#ttlMs = options.ttlMs
    this.#capacity = options.capacity
    this.#clock = options.clock ?? systemClock
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Promise<Value> {
    const known = this.#entries.get(key)
    if (known !== undefined && this.#clock.elapsed() < known.until) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return Promise.resolve(known.value)
    }
    const already = this.#underWay.get(key)
    if (already !== undefined) return already
    // After a tick, so that the source finds this promise noted, also when it throws at once.
    const loading: Promise<Value> = Promise.resolve().then(() =>
      this.#fetch(key, () => this.#underWay.get(key) === loading),
    )
    this.#underWay.set(key, loading)
    return loading
  }

  /** The next `get` asks the source again, also when an answer is on its way now. */
  forget(key: string): void {
    this.#entries.delete(key)
    this.#underWay.delete(key)
  }

  async #fetch(key: string, current: () => boolean): Promise<Value> {
    // Counted from the question: what changed while the answer was on its way is not believed for longer.
    const until = this.#clock.elapsed() + this.#ttlMs
    try {
      const value = await this.#load(key)
      if (current()) this.#keep(key, value, until)
      return value
    } finally {
      if (current()) this.#underWay.delete(key)
    }
  }

  #keep(key: string, value: Value, until: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until })
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break
      this.#entries.delete(oldest)
    }
  }
}
