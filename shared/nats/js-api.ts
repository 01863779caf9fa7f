import type { ApiError } from './broker-error.ts'
import { fromApiError } from './broker-error.ts'
import type { ReplyMux } from './reply-mux.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const NOTHING = new Uint8Array()

type Answer<T> = T & { readonly error?: ApiError }

/** The JetStream API: JSON questions to `$JS.API.<operation>`. */
export class JetStreamApi {
  readonly #mux: ReplyMux
  readonly #prefix: string

  constructor(mux: ReplyMux, prefix = '$JS.API') {
    this.#mux = mux
    this.#prefix = prefix
  }

  subject(operation: string): string {
    return `${this.#prefix}.${operation}`
  }

  /** Throws what the API answers as an error. */
  async ask<T>(operation: string, body?: unknown): Promise<T> {
    const answer = await this.try<T>(operation, body)
    if (answer.error) throw fromApiError(answer.error, { operation })
    return answer
  }

  /** The answer or the API's error object, for callers to whom some errors are answers. */
  async try<T>(operation: string, body?: unknown): Promise<Answer<T>> {
    const data = body === undefined ? NOTHING : encoder.encode(JSON.stringify(body))
    const message = await this.#mux.request(this.subject(operation), data)
    return JSON.parse(decoder.decode(message.data)) as Answer<T>
  }
}

/** The API counts time in nanoseconds. */
export function nanos(ms: number): number {
  return Math.round(ms * 1_000_000)
}
