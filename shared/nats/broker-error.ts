import { NatsError } from 'nats'
import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

/** The error object inside an answer of the JetStream API. */
export interface ApiError {
  readonly code: number
  readonly err_code?: number
  readonly description?: string
}

/** The server's own error numbers (its `errors.json`), as far as this adapter reacts to them. */
export const ApiErrorCode = {
  nameInUse: 10013,
  consumerNotFound: 10014,
  insufficientResources: 10023,
  memoryExceeded: 10028,
  storageExceeded: 10047,
  messageTooLarge: 10054,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  storeFailed: 10077,
  queueNotFiltered: 10099,
  filterNotUnique: 10100,
  consumerExists: 10105,
  alreadyExists: 10148,
  tooManyRequests: 10167,
} as const

const OVERLOADED: ReadonlySet<number> = new Set([
  ApiErrorCode.insufficientResources,
  ApiErrorCode.memoryExceeded,
  ApiErrorCode.storageExceeded,
  ApiErrorCode.storeFailed,
  ApiErrorCode.tooManyRequests,
])
const CONFLICT: ReadonlySet<number> = new Set([
  ApiErrorCode.nameInUse,
  ApiErrorCode.queueNotFiltered,
  ApiErrorCode.filterNotUnique,
  ApiErrorCode.consumerExists,
  ApiErrorCode.alreadyExists,
])

export function fromApiError(error: ApiError, details: Record<string, unknown>): WaggleError {
  const reason = error.description ?? 'The broker refused without saying why.'
  return new WaggleError(codeOf(error, reason), { ...details, reason, brokerCode: error.err_code ?? error.code })
}

function codeOf(error: ApiError, reason: string): ErrorCode {
  const number = error.err_code ?? 0
  // One number for every limit of a stream; only the text tells which.
  if (number === ApiErrorCode.storeFailed && reason.includes('per subject')) return 'MAILBOX_FULL'
  if (number === ApiErrorCode.messageTooLarge) return 'TOO_LARGE'
  if (OVERLOADED.has(number)) return 'OVERLOADED'
  if (CONFLICT.has(number)) return 'CONFLICT'
  if (number === ApiErrorCode.streamNotFound || number === ApiErrorCode.consumerNotFound) return 'BROKER_DOWN'
  return error.code >= 400 && error.code < 500 ? 'CONFIG' : 'BROKER_DOWN'
}

/** Anything the client library threw. */
export function fromClientError(thrown: unknown, details: Record<string, unknown> = {}): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  const code: ErrorCode =
    error instanceof NatsError && error.code === 'MAX_PAYLOAD_EXCEEDED' ? 'TOO_LARGE' : 'BROKER_DOWN'
  return new WaggleError(code, { ...details, reason: error.message }, { cause: error })
}

export function connectionGone(): WaggleError {
  return new WaggleError('BROKER_DOWN', { reason: 'The connection is gone.' })
}
