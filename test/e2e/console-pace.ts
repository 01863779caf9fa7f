import { Deferred } from '#shared/lib/deferred.ts'

/** Lets answers come on step by step: a test decides how far one has come. */
export class StepPace {
  #credit = Number.POSITIVE_INFINITY
  #over = false
  readonly #stopped = new Set<string>()
  readonly #waiting: { readonly who: string; readonly go: Deferred<boolean> }[] = []

  /** Resolves when the next step may be made; with false when there shall be none. */
  async step(who: string): Promise<boolean> {
    if (this.#over || this.#stopped.has(who)) return false
    if (this.#credit > 0) {
      this.#credit -= 1
      return true
    }
    const go = new Deferred<boolean>()
    this.#waiting.push({ who, go })
    return go.promise
  }

  /** From here on steps wait for `advance`. */
  hold(): void {
    this.#credit = 0
  }

  /** So many steps; without a number, all from now on. */
  advance(steps = Number.POSITIVE_INFINITY): void {
    this.#credit += steps
    while (this.#credit > 0) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#credit -= 1
      next.go.resolve(true)
    }
  }

  stop(who: string): void {
    this.#stopped.add(who)
    for (const waiting of this.#waiting) if (waiting.who === who) waiting.go.resolve(false)
  }

  end(): void {
    this.#over = true
    for (const { go } of this.#waiting.splice(0)) go.resolve(false)
  }
}
