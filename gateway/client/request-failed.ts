import type { ClientError } from '#shared/contracts/client.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

/** A request that got no answer, or a coded refusal. `error` is what a person may be shown. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed'
  readonly error: ClientError

  constructor(error: ClientError) {
    super(`${error.code}: ${error.message}`)
    this.error = error
  }

  get code(): string {
    return this.error.code
  }
}

export const OFFLINE: ClientError = {
  code: 'UNREACHABLE',
  message: 'There is no connection to the gateway.',
  action: 'Nothing; it is tried again by itself.',
  details: {},
}

export const DEADLINE: ClientError = {
  code: 'DEADLINE',
  message: 'The gateway did not answer in time.',
  action: 'Nothing; the same request is sent again.',
  details: {},
}

/** Sending the very same thing again, with the same id, can succeed. */
const RETRYABLE: ReadonlySet<string> = new Set([
  'PENDING',
  'DEADLINE',
  'UNREACHABLE',
  'OVERLOADED',
  'MAILBOX_FULL',
  'TENANT_BUSY',
  'LOG_QUOTA',
  'RATE_LIMITED',
  'LEAVING',
  'DATABASE_DOWN',
  'BROKER_DOWN',
  'INTERNAL',
] satisfies ErrorCode[])

export function isRetryable(error: ClientError): boolean {
  return RETRYABLE.has(error.code)
}

/** How long the gateway asks us to wait, when it says so. */
export function retryAfterMs(error: ClientError): number {
  const ms = error.details['retryAfterMs']
  return typeof ms === 'number' && Number.isFinite(ms) && ms > 0 ? ms : 0
}

/** The coded error in the data of a refused handshake. */
export function asClientError(data: unknown): ClientError | null {
  if (typeof data !== 'object' || data === null) return null
  const { code, message, action, details } = data as Record<string, unknown>
  if (typeof code !== 'string') return null
  return {
    code,
    message: typeof message === 'string' ? message : code,
    action: typeof action === 'string' ? action : '',
    details: typeof details === 'object' && details !== null ? { ...details } : {},
  }
}

export function failureOf(thrown: unknown): ClientError {
  if (thrown instanceof RequestFailed) return thrown.error
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'INTERNAL', message, action: 'Try again.', details: {} }
}
