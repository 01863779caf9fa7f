import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

/** VECTORS_DOWN where the server or the way to it failed; CONFIG where it wants another key; INTERNAL: our mistake. */
export function qdrantError(thrown: unknown): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  const status = statusOf(error)
  const details = { reason: reasonOf(error), ...(status !== null && { status }) }
  if (status === 401 || status === 403) return new WaggleError('CONFIG', details, { cause: error })
  const ours = status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429
  return new WaggleError(ours ? 'INTERNAL' : 'VECTORS_DOWN', details, { cause: error })
}

export function statusOf(error: Error): number | null {
  const status: unknown = Reflect.get(error, 'status')
  if (typeof status === 'number') return status
  // Its own class for refused requests is told apart by the text alone.
  const said = /^Unexpected Response: (\d{3})/.exec(error.message)?.[1]
  return said === undefined ? null : Number(said)
}

const MAX_REASON_CHARS = 300

function reasonOf(error: Error): string {
  const data: unknown = Reflect.get(error, 'data')
  const body = data === undefined ? '' : ` ${JSON.stringify(data)}`
  const cause = error.cause instanceof Error ? ` ${error.cause.message}` : ''
  return `${error.message}${cause}${body}`.slice(0, MAX_REASON_CHARS)
}
