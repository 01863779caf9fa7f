export interface Sending {
  readonly method?: 'POST' | 'PUT' | 'DELETE'
  readonly json?: unknown
  readonly body?: FormData | Blob
  readonly signal?: AbortSignal
}

/** The gateway's REST interface, for what is asked once and not watched. Fails with RequestFailed. */
export type Api = <Answer>(path: string, sending?: Sending) => Promise<Answer>
