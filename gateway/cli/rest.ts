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
  posted?: { readonly method: 'POST'; readonly body: unknown },
): Promise<Value> {
  return await send(endpoint, path, schema, posted === undefined ? {} : { method: posted.method, json: posted.body })
}

/** What a request sends: JSON, a form, or bytes. */
export interface Sending {
  readonly method?: 'POST' | 'PUT' | 'DELETE'
  readonly json?: unknown
  readonly body?: FormData | Uint8Array<ArrayBuffer>
  readonly contentType?: string
  readonly timeoutMs?: number
}

/** The same for whatever is to be sent. */
export async function send<Value>(
  endpoint: Endpoint,
  path: string,
  schema: z.ZodType<Value>,
  sending: Sending,
): Promise<Value> {
  const response = await reach(endpoint, path, sending)
  if (!response.ok) throw await refusedBy(response)
  const body: unknown = await response.json().catch(() => null)
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new CliError(
    ExitCode.failed,
    `${endpoint.url} answered something this version does not understand.`,
    'Use the same version on both sides.',
  )
}

/** The raw answer, as for a stream of events. */
export function reach(
  endpoint: Endpoint,
  path: string,
  sending: Sending,
  accept = 'application/json',
): Promise<Response> {
  const { url, token, apiKey } = endpoint
  const { method = 'GET', json, body, contentType, timeoutMs = REQUEST_TIMEOUT_MS } = sending
  const type = json === undefined ? contentType : 'application/json'
  return fetch(new URL(`/api/v1/${path}`, url), {
    method,
    headers: {
      accept,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(json !== undefined ? { body: JSON.stringify(json) } : body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(timeoutMs),
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

/** What the gateway said instead. */
export async function refusedBy(response: Response): Promise<CliError> {
  const body: unknown = await response.json().catch(() => null)
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : body
  const error = ErrorBody.safeParse(inner)
  if (error.success) return fromClientError(error.data)
  return new CliError(
    ExitCode.failed,
    `The gateway answered ${response.status} ${response.statusText}.`,
    'Run `waggle doctor`.',
  )
}
