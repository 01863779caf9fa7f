import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Core } from './core.ts'
import type { AttemptError, DeadLetter } from './store.ts'

/** Failures of a command that no retry mends: it is a dead letter at once. */
export const BURIED_AT_ONCE: ReadonlySet<string> = new Set([
  'TOO_OLD',
  'EXPIRED',
  'BAD_INPUT',
  'UNKNOWN_MESSAGE',
  'GAVE_UP',
  'TOO_LARGE',
  'TOO_MANY_HOPS',
])

/** A dead letter (I13): what could not be handled, as it was received, and why. */
export function letter(
  core: Core,
  of: {
    readonly tenant: string
    readonly subject: string
    readonly payload: Uint8Array
    readonly error: WaggleError
    /** Deterministic where the same thing may be buried twice. */
    readonly id?: string
    readonly attempts?: number
    readonly history?: readonly AttemptError[]
    readonly trace?: string
  },
): DeadLetter {
  const { tenant, subject, payload, error, attempts = 1, history = [], trace = '' } = of
  const at = core.clock.now()
  const last = { code: error.code, message: error.message, at }
  return {
    id: of.id ?? core.newId(),
    tenant,
    subject,
    payload,
    code: error.code,
    message: error.message,
    attempts: Math.max(1, attempts),
    history: history.length > 0 ? history : [last],
    trace,
    at,
  }
}
