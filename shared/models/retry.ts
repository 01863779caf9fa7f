import { backoffMs } from '#shared/lib/backoff.ts'
import { delay } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

import type { ModelLimits } from './spec.ts'

/** Failures of the provider: worth another try, and counted by the breaker. */
export const FAULTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['MODEL_DOWN', 'MODEL_CUT', 'MODEL_MALFORMED'])

export type RetryLimits = Pick<ModelLimits, 'attempts' | 'backoffFirstMs' | 'backoffMaxMs' | 'retryAfterMaxMs'>

/** How long to wait before the next try; null when there should be none. */
export function pauseAfter(
  failure: WaggleError,
  attempt: number,
  limits: RetryLimits,
  random: () => number,
): number | null {
  if (!FAULTS.has(failure.code) && failure.code !== 'MODEL_BUSY') return null
  const own = backoffMs(attempt - 1, limits.backoffFirstMs, limits.backoffMaxMs, random)
  const asked = failure.details['retryAfterMs']
  if (typeof asked !== 'number') return own
  return asked > limits.retryAfterMaxMs ? null : Math.max(asked, own)
}

export async function rest(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  try {
    await delay(clock, ms, signal)
  } catch {
    throw new WaggleError('CANCELLED', { step: 'waiting to try the model again' })
  }
}
