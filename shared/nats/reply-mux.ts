import type { Msg, MsgHdrs, NatsConnection, Subscription as NatsSubscription } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { connectionGone, fromClientError } from './broker-error.ts'

/** An unanswered request fails with BROKER_DOWN after this; its outcome is then unknown. */
export const REQUEST_MS = 5_000
const SWEEP_MS = 500

interface Waiting {
  readonly resolve: (message: Msg) => void
  readonly reject: (error: WaggleError) => void
  readonly subject: string
  readonly deadline: number
}

/**
 * Every private reply address of this process behind one subscription `<prefix>.*`, told apart by the last token: an
 * address costs a map entry, no round trip and no broker memory.
 *
 * Owns the broker requests under way. Invariants: each is settled exactly once (answer, time limit, loss of the
 * connection or close); `#waiting` is ordered by deadline, since all wait equally long; the sweep timer runs only while
 * something waits.
 */
export class ReplyMux {
  readonly #connection: NatsConnection
  readonly #prefix: string
  readonly #inboxes = new Map<string, (message: Msg) => void>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #subscription: NatsSubscription
  readonly #onError: (error: Error) => void
  #count = 0
  #sweep: NodeJS.Timeout | null = null
  #idle: (() => void)[] = []

  constructor(connection: NatsConnection, prefix: string, onError: (error: Error) => void) {
    this.#connection = connection
    this.#onError = onError
    this.#prefix = prefix
    this.#subscription = connection.subscribe(`${prefix}.*`, { callback: (_, message) => this.#dispatch(message) })
  }

  open(handler: (message: Msg) => void): { readonly subject: string; close(): void } {
    const token = `i${(++this.#count).toString(36)}`
    this.#inboxes.set(token, handler)
    return { subject: `${this.#prefix}.${token}`, close: () => void this.#inboxes.delete(token) }
  }

  /** One question, one answer. Rejects with BROKER_DOWN, also when nobody answers this subject at all. */
  request(subject: string, data: Uint8Array, headers?: MsgHdrs): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const token = `r${(++this.#count).toString(36)}`
      const reply = `${this.#prefix}.${token}`
      try {
        this.#connection.publish(subject, data, headers ? { reply, headers } : { reply })
      } catch (error) {
        reject(fromClientError(error, { subject }))
        return
      }
      this.#waiting.set(token, { resolve, reject, subject, deadline: performance.now() + REQUEST_MS })
      this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS)
    })
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    if (this.#waiting.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** The connection is gone: nothing under way will be answered. */
  failAll(): void {
    for (const { reject } of this.#waiting.values()) reject(connectionGone())
    this.#waiting.clear()
    this.#rest()
  }

  close(): void {
    this.failAll()
    this.#inboxes.clear()
    this.#subscription.unsubscribe()
  }

  #dispatch(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length + 1)
    const waiting = this.#waiting.get(token)
    if (!waiting) {
      try {
        this.#inboxes.get(token)?.(message)
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error(String(error)))
      }
      return
    }
    this.#waiting.delete(token)
    if (this.#waiting.size === 0) this.#rest()
    if (isUnreachable(message)) {
      waiting.reject(new WaggleError('BROKER_DOWN', { subject: waiting.subject, reason: 'Nobody takes this subject.' }))
    } else waiting.resolve(message)
  }

  #expire(): void {
    const now = performance.now()
    for (const [token, { reject, subject, deadline }] of this.#waiting) {
      if (deadline > now) break
      this.#waiting.delete(token)
      reject(new WaggleError('BROKER_DOWN', { subject, reason: `No answer in ${REQUEST_MS} ms.` }))
    }
    if (this.#waiting.size === 0) this.#rest()
  }

  #rest(): void {
    if (this.#sweep) clearInterval(this.#sweep)
    this.#sweep = null
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/** The broker's own answer to a request without any listener. */
export function isUnreachable(message: Msg): boolean {
  return message.data.byteLength === 0 && message.headers?.code === 503
}
