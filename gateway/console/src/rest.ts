import { RequestFailed, OFFLINE, asClientError } from '#gateway/client/request-failed.ts'
import type { Api, Sending } from './api.ts'
import { asCredentials } from './session.ts'

export function apiOf(token: string): Api {
  return async <Answer>(path: string, { method, json, body, signal }: Sending = {}) => {
    const credentials = asCredentials(token)
    const headers: Record<string, string> =
      'token' in credentials ? { authorization: `Bearer ${credentials.token}` } : { 'x-api-key': credentials.apiKey }
    if (json !== undefined) headers['content-type'] = 'application/json'
    if (body instanceof Blob) headers['content-type'] = 'application/octet-stream'
    const sent = json === undefined ? body : JSON.stringify(json)
    let response: Response
    try {
      response = await fetch(`./api/v1/${path}`, {
        headers,
        ...(method === undefined ? {} : { method }),
        ...(sent === undefined ? {} : { body: sent }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (thrown) {
      if (signal?.aborted === true) throw thrown
      throw new RequestFailed({ ...OFFLINE, action: 'Try again.' })
    }
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok) return answer as Answer
    const said = asClientError((answer as { error?: unknown } | null)?.error)
    throw new RequestFailed(
      said ?? {
        code: String(response.status),
        message: 'The gateway gave no answer that this page understands.',
        action: 'Try again.',
        details: {},
      },
    )
  }
}
