import { coded } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import type { Authenticator, Session, Shown } from './authenticator.ts'
import { RateLimiter } from './rate-limiter.ts'

/** Wrong credentials from one address: this many at once, then one in two seconds. Right ones cost nothing. */
const WRONG_TRIES = { perSecond: 0.5, burst: 30 } as const

/** The one way in for sockets and HTTP: proves who it is, and slows down whoever guesses. */
export class Doorman {
  readonly #authenticator: Authenticator
  readonly #metrics: Metrics
  readonly #wrong: RateLimiter

  constructor(authenticator: Authenticator, metrics: Metrics, clock: Clock) {
    this.#authenticator = authenticator
    this.#metrics = metrics
    this.#wrong = new RateLimiter(WRONG_TRIES, clock)
  }

  /** Throws UNAUTHENTICATED, TENANT_DISABLED, RATE_LIMITED, or UNREACHABLE when nobody can tell. */
  async admit(address: string, shown: Shown): Promise<Session> {
    this.#wrong.check(address)
    try {
      return await this.#authenticator.session(shown)
    } catch (error) {
      if (coded(error).code === 'UNAUTHENTICATED') {
        this.#metrics.count('waggle_unauthenticated_total', { by: byOf(shown) })
        this.#wrong.take(address)
      }
      throw error
    }
  }
}

function byOf({ token, apiKey }: Shown): string {
  if (token !== undefined && token !== '') return 'token'
  return apiKey === undefined || apiKey === '' ? 'nothing' : 'key'
}

/**
 * The address of a client behind `proxies` proxies that are ours: each of them appended the address it saw to the header,
 * so whatever stands further left was said by the client and proves nothing.
 */
export function clientAddress(remote: string, forwardedFor: string | undefined, proxies: number): string {
  if (proxies === 0 || forwardedFor === undefined) return remote
  const hops = [...forwardedFor.split(',').map((hop) => hop.trim()), remote].filter((hop) => hop !== '')
  return hops[Math.max(0, hops.length - 1 - proxies)] ?? remote
}
