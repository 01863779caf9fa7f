/**
 * A value outside React that many can watch. Changes are folded as they come; watchers hear of them once per `schedule`
 * (a page gives one per animation frame), however many there were. Between two flushes `getSnapshot` keeps giving the
 * same value, as `useSyncExternalStore` asks for; `latest` is always the newest.
 */
export type Schedule = (flush: () => void) => void

export interface Subscribable<Value> {
  readonly subscribe: (listener: () => void) => () => void
  readonly getSnapshot: () => Value
}

export class Store<Value> implements Subscribable<Value> {
  readonly #schedule: Schedule
  readonly #listeners = new Set<() => void>()
  #latest: Value
  #published: Value
  #scheduled = false

  constructor(initial: Value, schedule: Schedule = (flush) => queueMicrotask(flush)) {
    this.#latest = initial
    this.#published = initial
    this.#schedule = schedule
  }

  get latest(): Value {
    return this.#latest
  }

  set(value: Value): void {
    if (Object.is(value, this.#latest)) return
    this.#latest = value
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(() => this.flush())
  }

  flush(): void {
    this.#scheduled = false
    if (Object.is(this.#published, this.#latest)) return
    this.#published = this.#latest
    for (const listener of this.#listeners) listener()
  }

  /** Bound, so that it can be handed to React as it is. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  readonly getSnapshot = (): Value => this.#published
}
