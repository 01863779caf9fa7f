import type { Clock } from '#shared/lib/clock.ts'

/**
 * Circuit breakers of one process, one for each (tenant, provider, address): one tenant's dead endpoint is no other
 * tenant's business.
 *
 * closed     calls pass; `failures` in a row are counted, a success clears them
 * open       since `openedAt`: calls are refused without being tried, until BREAKER_OPEN_MS have passed
 * half-open  exactly one call passes (`probing`); its success closes, its failure opens again
 *
 * Only failures of the provider count (down, cut, malformed, silent); busy, auth and refused are answers.
 */
export const BREAKER_FAILURES = 5
export const BREAKER_OPEN_MS = 30_000
/** A probe that never reported is forgotten after this. */
export const BREAKER_PROBE_MS = 60_000
export const MAX_BREAKERS = 10_000

interface Breaker {
  failures: number
  openedAt: number | null
  probingSince: number | null
}

export class BreakerBoard {
  readonly #clock: Pick<Clock, 'elapsed'>
  /** In order of use: the longest unused goes first when there are too many. */
  readonly #breakers = new Map<string, Breaker>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** Milliseconds until a call may be tried, 0 when it may be tried now (and then it must report). */
  enter(key: string): number {
    const breaker = this.#breaker(key)
    if (breaker.openedAt === null) return 0
    const now = this.#clock.elapsed()
    const remaining = breaker.openedAt + BREAKER_OPEN_MS - now
    if (remaining > 0) return remaining
    if (breaker.probingSince !== null && now - breaker.probingSince < BREAKER_PROBE_MS) return BREAKER_PROBE_MS
    breaker.probingSince = now
    return 0
  }

  succeeded(key: string): void {
    this.#breakers.delete(key)
  }

  failed(key: string): void {
    const breaker = this.#breaker(key)
    breaker.failures += 1
    if (breaker.probingSince !== null || breaker.failures >= BREAKER_FAILURES) breaker.openedAt = this.#clock.elapsed()
    breaker.probingSince = null
  }

  /** The call ended without telling anything about the provider (it was cancelled). */
  left(key: string): void {
    const breaker = this.#breakers.get(key)
    if (breaker !== undefined) breaker.probingSince = null
  }

  state(key: string): 'closed' | 'open' | 'half-open' {
    const breaker = this.#breakers.get(key)
    if (breaker === undefined || breaker.openedAt === null) return 'closed'
    return this.#clock.elapsed() < breaker.openedAt + BREAKER_OPEN_MS ? 'open' : 'half-open'
  }

  #breaker(key: string): Breaker {
    const known = this.#breakers.get(key) ?? { failures: 0, openedAt: null, probingSince: null }
    this.#breakers.delete(key)
    this.#breakers.set(key, known)
    if (this.#breakers.size > MAX_BREAKERS) {
      const oldest = this.#breakers.keys().next()
      if (oldest.done !== true) this.#breakers.delete(oldest.value)
    }
    return known
  }
}
