import { refuse } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'

/**
 * Why a tool call gave no result. `happened` is what the ledger needs (I3): `no` when the request certainly had no
 * effect (it was never sent, or was refused), `unknown` when it may have been carried out and nobody can say.
 */
export function toolFailure(
  code: Extract<ErrorCode, 'TOOL_FAILED' | 'TOOL_ARGS' | 'TOOL_DENIED' | 'ADDRESS_REFUSED' | 'NOT_FOUND' | 'TOO_LARGE'>,
  happened: 'no' | 'unknown',
  reason: string,
  more: Readonly<Record<string, unknown>> = {},
): WaggleError {
  return refuse(code, { reason, happened, ...more })
}
