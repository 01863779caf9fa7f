import type { Clock } from '#shared/lib/clock.ts'

/** A rate as a bucket that fills by time: `burst` at once, `perSecond` on average. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Clock
  #tokens: number
  #at: number

  constructor(rate: { readonly perSecond: number; readonly burst: number }, clock: Clock) {
    this.#perSecond = rate.perSecond
    this.#burst = rate.burst
    this.#clock = clock
    this.#tokens = rate.burst
    this.#at = clock.elapsed()
  }

  /** 0 when one was taken, otherwise milliseconds until there is one. */
  take(): number {
    const now = this.#clock.elapsed()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000)
  }

  /** It has been left alone long enough to be as good as new. */
  get full(): boolean {
    return this.#tokens + ((this.#clock.elapsed() - this.#at) / 1_000) * this.#perSecond >= this.#burst
  }
}
