import type { WaggleError } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'

/**
 * Supervision as data at the parent (OTP's one-for-one): what becomes of a child that crashed. `resume` goes on from
 * its checkpoint as the same attempt, `restart` as a new one after a back-off; both count towards `restarts` within
 * `within`, beyond which the child has failed for good. `stop` fails it at once. `escalate` fails it and puts the
 * parent's activation down with all its children.
 */
export type Decision = 'resume' | 'restart' | 'stop' | 'escalate'

export interface SupervisionOptions {
  readonly strategy?: 'one-for-one'
  readonly restarts?: number
  readonly within?: Duration
  readonly backoff?: readonly [first: Duration, max: Duration]
  readonly decide?: (error: WaggleError) => Decision
}

export interface Supervision {
  readonly restarts: number
  readonly withinMs: number
  readonly firstMs: number
  readonly maxMs: number
  readonly decide: (error: WaggleError) => Decision
}

export const DEFAULT_RESTARTS = 3
export const DEFAULT_WITHIN_MS = 60_000
export const DEFAULT_BACKOFF_MS = [200, 5_000] as const

export function supervision(options: SupervisionOptions = {}): Supervision {
  const [first, max] = options.backoff ?? DEFAULT_BACKOFF_MS
  return {
    restarts: options.restarts ?? DEFAULT_RESTARTS,
    withinMs: milliseconds(options.within ?? DEFAULT_WITHIN_MS),
    firstMs: milliseconds(first),
    maxMs: milliseconds(max),
    decide: options.decide ?? (() => 'restart'),
  }
}

export type Verdict =
  | {
      readonly final: false
      readonly decision: 'resume' | 'restart'
      readonly waitMs: number
      readonly restarts: readonly number[]
    }
  | { readonly final: true; readonly decision: 'stop' | 'escalate'; readonly gaveUp: boolean }

/**
 * @param restarts times (milliseconds) of the restarts so far
 * @param now milliseconds
 */
export function superviseCrash(
  policy: Supervision,
  error: WaggleError,
  restarts: readonly number[],
  now: number,
  random: () => number,
): Verdict {
  const decision = policy.decide(error)
  if (decision === 'stop' || decision === 'escalate') return { final: true, decision, gaveUp: false }
  const recent = restarts.filter((at) => at > now - policy.withinMs)
  if (recent.length >= policy.restarts) return { final: true, decision: 'stop', gaveUp: true }
  return {
    final: false,
    decision,
    waitMs: backoffMs(recent.length, policy.firstMs, policy.maxMs, random),
    restarts: [...recent, now],
  }
}
