import type { Clock } from '#shared/lib/clock.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { TokenBucket } from '#gateway/sockets/token-bucket.ts'

/** Keys remembered; the one silent for longest is forgotten first, which gives it a full bucket again. */
const KEYS_KEPT = 20_000

/** A bucket for each address and each principal (I11). */
export class RateLimiter {
  readonly #rate: { readonly perSecond: number; readonly burst: number }
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: { readonly perSecond: number; readonly burst: number }, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Throws RATE_LIMITED with `retryAfterMs`; a refused request costs nothing. */
  take(key: string): void {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, this.#clock)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    for (const silent of this.#buckets.keys()) {
      if (this.#buckets.size <= KEYS_KEPT) break
      this.#buckets.delete(silent)
    }
    const retryAfterMs = bucket.take()
    if (retryAfterMs > 0) throw refuse('RATE_LIMITED', { retryAfterMs })
  }
}
