import type { Cancel, Clock } from '#shared/lib/clock.ts'

/** Runs `fn` after `ms`; the one way the memory broker makes anything happen later. `what` names it for a trace. */
export type Schedule = (fn: () => void, ms: number, what: string) => Cancel

export function clockSchedule(clock: Clock): Schedule {
  return (fn, ms) => (ms > 0 ? clock.setTimeout(fn, ms) : clock.immediate(fn))
}

/**
 * One direction of a connection: first in, first out, each item after its own random latency but never before the one
 * in front of it (what a TCP connection gives). `hold` keeps items inside (a stopped process), `cut` loses them (a
 * broken connection).
 */
export class Pipe {
  readonly #now: () => number
  readonly #schedule: Schedule
  readonly #latency: () => number
  readonly #what: string
  #items: { readonly at: number; readonly run: () => void }[] = []
  #latestAt = 0
  #armed: Cancel | null = null
  #held = false
  #closed = false

  constructor(now: () => number, schedule: Schedule, latency: () => number, what: string) {
    this.#now = now
    this.#schedule = schedule
    this.#latency = latency
    this.#what = what
  }

  push(run: () => void): void {
    if (this.#closed) return
    this.#latestAt = Math.max(this.#latestAt, this.#now() + this.#latency())
    this.#items.push({ at: this.#latestAt, run })
    this.#arm()
  }

  hold(): void {
    this.#held = true
    this.#disarm()
  }

  release(): void {
    this.#held = false
    this.#arm()
  }

  /** Everything inside is lost and nothing more goes in. */
  cut(): void {
    this.#closed = true
    this.#items = []
    this.#disarm()
  }

  #arm(): void {
    const head = this.#items[0]
    if (this.#armed || this.#held || this.#closed || !head) return
    this.#armed = this.#schedule(() => this.#fire(), head.at - this.#now(), this.#what)
  }

  #disarm(): void {
    this.#armed?.()
    this.#armed = null
  }

  #fire(): void {
    this.#armed = null
    const now = this.#now()
    // What is pushed meanwhile waits for its own turn, so that two nodes take turns instead of one running on.
    for (let left = this.#items.length; left > 0; left--) {
      const head = this.#items[0]
      if (!head || head.at > now || this.#held || this.#closed) break
      this.#items.shift()
      head.run()
    }
    this.#arm()
  }
}
