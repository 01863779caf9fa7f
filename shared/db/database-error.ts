import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

/** SQLSTATEs that the functions of migration 0001 raise. */
export const SqlState = {
  staleEpoch: 'WG001',
  duplicates: 'WG002',
  idReused: 'WG003',
  partitionsDiffer: 'WG004',
} as const

/**
 * What an error of `pg` means to the callers. DATABASE_DOWN where the connection or the server failed: nothing is known
 * of the outcome. CONFLICT where a row stands in the way (details name the constraint). INTERNAL otherwise: our mistake.
 */
export function databaseError(thrown: unknown): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  const state = sqlStateOf(error)
  const code = codeOf(state, error)
  const constraint: unknown = Reflect.get(error, 'constraint')
  return new WaggleError(
    code,
    {
      reason: error.message,
      ...(state === '' ? {} : { sqlState: state }),
      ...(typeof constraint === 'string' ? { constraint } : {}),
    },
    { cause: error },
  )
}

/** Five characters, or '' when the server did not say it (EPIPE is Node's, no SQLSTATE begins with E). */
export function sqlStateOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' && /^(?!E)[0-9A-Z]{5}$/.test(code) ? code : ''
}

export function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const detail: unknown = Reflect.get(error, 'detail')
  return typeof detail === 'string' ? detail : ''
}

function codeOf(state: string, error: Error): ErrorCode {
  if (state === SqlState.staleEpoch) return 'STALE_EPOCH'
  if (state === SqlState.idReused) return 'ID_REUSED'
  if (state === SqlState.partitionsDiffer) return 'PARTITIONS_DIFFER'
  if (state === '23505') return 'CONFLICT'
  if (DOWN_STATES.has(state) || DOWN_CLASSES.has(state.slice(0, 2))) return 'DATABASE_DOWN'
  return state === '' && isOfConnection(error) ? 'DATABASE_DOWN' : 'INTERNAL'
}

/** Connection exceptions, insufficient resources, operator intervention (shutdown, cancel, timeouts), system errors. */
const DOWN_CLASSES = new Set(['08', '53', '57', '58'])
/** Idle-in-transaction timeout, transaction timeout, serialization failure, deadlock, lock not available, bad password. */
const DOWN_STATES = new Set(['25P03', '25P04', '40001', '40P01', '55P03', '28P01', '28000', '3D000'])

function isOfConnection(error: Error): boolean {
  const code: unknown = Reflect.get(error, 'code')
  if (typeof code === 'string' && /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|ENOENT)/.test(code)) return true
  return /connection|timeout|not queryable|terminated|closed|the pool/i.test(error.message)
}
