import type { Clock } from '#shared/lib/clock.ts'

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Fractions of tokens add up a little short of a whole one. */
const ROUNDING = 1e-6

/** A rate as a bucket that fills by time: `burst` at once, `perSecond` on average. */
export class TokenBucket {
  readonly #rate: Rate
  readonly #clock: Clock
  #tokens: number
  #at: number

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
    this.#tokens = rate.burst
    this.#at = clock.elapsed()
  }

  /** 0 when one was taken, otherwise milliseconds until there is one. */
  take(): number {
    const waitMs = this.waitMs()
    if (waitMs === 0) this.#tokens -= 1
    return waitMs
  }

  /** Milliseconds until one can be taken; 0 now. */
  waitMs(): number {
    const { perSecond, burst } = this.#rate
    const now = this.#clock.elapsed()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1_000) * perSecond)
    this.#at = now
    const missing = 1 - this.#tokens
    return missing <= ROUNDING ? 0 : Math.ceil((missing / perSecond) * 1_000 - ROUNDING)
  }
}
