import { refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Rate } from './token-bucket.ts'

/** Keys remembered; the one silent for longest is forgotten first, which gives it a full bucket again. */
const KEYS_KEPT = 20_000

/** A bucket for each key: a principal, or the address of somebody whose credentials were wrong (I11). */
export class RateLimiter {
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** Throws RATE_LIMITED with `retryAfterMs`; a refused request costs nothing. */
  take(key: string): void {
    refuseUntil(this.#bucketOf(key).take())
  }

  /** Throws like `take`, and takes nothing. */
  check(key: string): void {
    refuseUntil(this.#buckets.get(key)?.waitMs() ?? 0)
  }

  #bucketOf(key: string): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, this.#clock)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    for (const silent of this.#buckets.keys()) {
      if (this.#buckets.size <= KEYS_KEPT) break
      this.#buckets.delete(silent)
    }
    return bucket
  }
}

function refuseUntil(retryAfterMs: number): void {
  if (retryAfterMs > 0) throw refuse('RATE_LIMITED', { retryAfterMs })
}
