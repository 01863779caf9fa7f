import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

export interface FailureContext {
  /** Whether a chunk had come: a connection lost then is a cut, before it is a provider that is down. */
  readonly begun: boolean
  readonly signal: AbortSignal
  readonly now: number
  /** Never to be repeated in details, whatever the provider echoes. */
  readonly secrets: readonly string[]
}

const MAX_REASON_CHARS = 300

/** One code for whatever the client threw. */
export function providerError(thrown: unknown, context: FailureContext): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const error = coerceError(thrown)
  if (context.signal.aborted) return new WaggleError('CANCELLED', { step: 'asking the model' }, { cause: error })
  const status = numberIn(error, 'status')
  const said = kindOf(error)
  const code = codeFor(error, status, said, context.begun)
  const retryAfterMs = readRetryAfter(error, context.now)
  return new WaggleError(
    code,
    {
      reason: redact(error.message, context.secrets),
      ...(status !== undefined && { status }),
      ...(said !== '' && { provider_code: said }),
      ...(retryAfterMs !== null && { retryAfterMs }),
    },
    { cause: error },
  )
}

function codeFor(error: Error, status: number | undefined, said: string, begun: boolean): ErrorCode {
  // A quota that is used up does not come back by waiting: the tenant's account has to be looked at.
  if (/insufficient_quota|billing|account_deactivated/.test(said)) return 'MODEL_AUTH'
  if (status === 401 || status === 403) return 'MODEL_AUTH'
  if (status === 429) return 'MODEL_BUSY'
  if (status === 408 || status === 409 || (status !== undefined && status >= 500)) return 'MODEL_DOWN'
  if (status !== undefined && status >= 400) return 'MODEL_REFUSED'
  if (/rate_limit|overloaded/.test(said)) return 'MODEL_BUSY'
  if (
    /context_length|invalid_request|content_policy|content_filter/.test(said) ||
    error.name === 'ContextOverflowError'
  )
    return 'MODEL_REFUSED'
  if (error instanceof SyntaxError || /not valid JSON|unexpected token/i.test(error.message)) return 'MODEL_MALFORMED'
  return begun ? 'MODEL_CUT' : 'MODEL_DOWN'
}

/** The provider's own word for what happened: `error.code` or `error.type` of its body. */
function kindOf(error: Error): string {
  const found = [textIn(error, 'code'), textIn(error, 'type')].filter((part) => part !== undefined)
  return found.join(' ').slice(0, 100)
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
function readRetryAfter(error: Error, now: number): number | null {
  const headers: unknown = 'headers' in error ? error.headers : undefined
  if (!(headers instanceof Headers)) return null
  const ms = headers.get('retry-after-ms')
  if (ms !== null && Number.isFinite(Number(ms))) return Math.max(0, Math.round(Number(ms)))
  const after = headers.get('retry-after')
  if (after === null) return null
  if (/^\d+(?:\.\d+)?$/.test(after)) return Math.round(Number(after) * 1_000)
  const at = Date.parse(after)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

function redact(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) text = text.replaceAll(secret, '***')
  // Providers echo a masked key, and some the whole: anything that looks like one goes too.
  return text.replaceAll(/\b(?:sk|gsk|key)-[\w*-]{6,}/g, '***').slice(0, MAX_REASON_CHARS)
}

function numberIn(error: Error, key: string): number | undefined {
  const value: unknown = (error as unknown as Record<string, unknown>)[key]
  return typeof value === 'number' ? value : undefined
}

function textIn(error: Error, key: string): string | undefined {
  const value: unknown = (error as unknown as Record<string, unknown>)[key]
  return typeof value === 'string' ? value : undefined
}
