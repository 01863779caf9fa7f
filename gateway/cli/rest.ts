import { z } from 'zod'
import { CliError, fromClientError } from './cli-error.ts'
import type { Endpoint } from './endpoint.ts'
import { ExitCode } from './exit-code.ts'

const REQUEST_TIMEOUT_MS = 15_000

const ErrorBody = z.object({
  code: z.string(),
  message: z.string(),
  action: z.string().default(''),
  details: z.record(z.string(), z.unknown()).default({}),
})

/** One request to the gateway's REST interface. Fails with a CliError that says what to do. */
export async function request<Value>(
  endpoint: Endpoint,
  path: string,
  schema: z.ZodType<Value>,
  send?: { readonly method: 'POST'; readonly body: unknown },
): Promise<Value> {
  const response = await reach(endpoint, path, send)
  const body = await response.json().catch(() => null)
  if (!response.ok) throw refused(response, body)
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new CliError(
    ExitCode.failed,
    `${endpoint.url} answered something this version does not understand.`,
    'Use the same version on both sides.',
  )
}

function reach(
  endpoint: Endpoint,
  path: string,
  send?: { readonly method: string; readonly body: unknown },
): Promise<Response> {
  const { url, token, apiKey } = endpoint
  return fetch(new URL(`/api/v1/${path}`, url), {
    method: send?.method ?? 'GET',
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
      ...(send === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(send === undefined ? {} : { body: JSON.stringify(send.body) }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  }).catch((error: Error) => {
    if (error.name === 'TimeoutError') {
      throw new CliError(ExitCode.tooLate, `${url} did not answer.`, 'Try again, or run `waggle doctor`.', 'DEADLINE')
    }
    throw new CliError(
      ExitCode.noGateway,
      `No gateway answers at ${url}.`,
      'Start one with `npm start` or `npx waggle up`.',
    )
  })
}

function refused(response: Response, body: unknown): CliError {
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : body
  const error = ErrorBody.safeParse(inner)
  if (error.success) return fromClientError(error.data)
  return new CliError(
    ExitCode.failed,
    `The gateway answered ${response.status} ${response.statusText}.`,
    'Run `waggle doctor`.',
  )
}
