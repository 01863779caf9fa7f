import { CATALOGUE } from './catalogue.ts'
import type { ErrorCode } from './catalogue.ts'

export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * The only error class that crosses a border. `code` decides the reaction; `details` are small, JSON-safe and never
 * hold secrets. `expected` is true for a refusal that the contract declares (it never restarts an actor).
 */
export class WaggleError extends Error {
  override readonly name = 'WaggleError'
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly expected: boolean

  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { cause?: unknown; expected?: boolean } = {}) {
    const reason = typeof details['reason'] === 'string' ? ` ${details['reason']}` : ''
    super(`${CATALOGUE[code].message}${reason}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = details
    this.expected = options.expected ?? false
  }

  get retryable(): boolean {
    return CATALOGUE[this.code].retryable
  }
}

/** An expected answer, declared in the contract's `fails`. Throw it; the actor goes on undisturbed. */
export function refuse(code: ErrorCode, details: ErrorDetails = {}): WaggleError {
  return new WaggleError(code, details, { expected: true })
}

/** Makes an Error of anything that was thrown. */
export function coerceError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(typeof thrown === 'string' ? thrown : `thrown: ${safeString(thrown)}`)
}

/** Makes a WaggleError of anything that was thrown; what is not one already becomes `fallback`. */
export function coded(thrown: unknown, fallback: ErrorCode = 'INTERNAL'): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  return new WaggleError(fallback, { reason: error.message }, { cause: error })
}

export interface WireError {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly expected: boolean
}

export function errorToWire(error: WaggleError): WireError {
  return { code: error.code, details: error.details, expected: error.expected }
}

export function errorFromWire(wire: WireError): WaggleError {
  const code = Object.hasOwn(CATALOGUE, wire.code) ? wire.code : 'INTERNAL'
  return new WaggleError(code, { ...wire.details }, { expected: wire.expected })
}

/** What a customer may read: `sys` and `ops` entries are reduced to INTERNAL with the trace id. */
export function publicError(error: WaggleError): {
  code: ErrorCode
  message: string
  action: string
  details: ErrorDetails
} {
  const { audience, status } = CATALOGUE[error.code]
  const visible = audience === 'pub'
  // An outage within is not our client's business; that it passes is: INTERNAL is given up after a few tries.
  const hidden: ErrorCode = audience === 'sys' && status === 503 ? 'UNREACHABLE' : 'INTERNAL'
  const code: ErrorCode = visible ? error.code : hidden
  return {
    code,
    message: CATALOGUE[code].message,
    action: CATALOGUE[code].action,
    details: visible ? error.details : {},
  }
}

function safeString(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
