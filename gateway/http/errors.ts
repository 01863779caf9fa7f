import { z } from 'zod'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import { WaggleError, coded, publicError, refuse } from '#shared/errors/waggle-error.ts'

/** The body of every answer that is not a success. */
export const ErrorBody = z.object({
  error: z.object({
    code: z.string().describe('One of the codes of the catalogue; never renamed.'),
    message: z.string().describe('What happened, in one sentence.'),
    action: z.string().describe('What to do.'),
    details: z.record(z.string(), z.unknown()),
    traceId: z.string().describe('To be given when asking for help.'),
  }),
})
export type ErrorBody = z.infer<typeof ErrorBody>

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ErrorBody
}

/** The answer a caller may see; what happened is for the log. */
export function errorAnswer(error: WaggleError, traceId: string): ErrorAnswer {
  const said = publicError(error)
  const { retryAfterMs } = said.details as { retryAfterMs?: unknown }
  return {
    status: CATALOGUE[said.code].status,
    headers: typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) } : {},
    body: { error: { ...said, details: { ...said.details }, traceId } },
  }
}

/** The coded error behind what the HTTP library threw by itself. */
export function codedHttp(thrown: unknown): WaggleError {
  if (thrown instanceof WaggleError) return thrown
  const { statusCode, code } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    statusCode?: unknown
    code?: unknown
  }
  if (statusCode === 413) return refuse('TOO_LARGE')
  if (statusCode === 415) return refuse('BAD_INPUT', { reason: 'The body must be application/json.' })
  if (typeof code === 'string' && code.startsWith('FST_ERR_CTP'))
    return refuse('BAD_INPUT', { reason: 'The body is not readable JSON.' })
  if (statusCode === 404) return refuse('NOT_FOUND')
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return refuse('BAD_INPUT')
  return coded(thrown)
}
