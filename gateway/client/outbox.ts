import type { ClientError, SendReceipt } from '#shared/contracts/client.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { Pause } from './pause.ts'
import { RequestFailed, failureOf, isRetryable, retryAfterMs } from './request-failed.ts'

/** More than this unsent is refused (I11). */
export const OUTBOX_MAX = 100
/** Of an INTERNAL error; what can only be waited for is tried until it is acknowledged. */
const INTERNAL_ATTEMPTS = 5

const DISCARDED: ClientError = { code: 'CANCELLED', message: 'It was discarded.', action: 'Nothing.', details: {} }

export interface PendingMessage {
  readonly id: string
  readonly text: string
  readonly agent: string | null
  /** What becomes of it if a turn is at work; the agent decides where it is not given. */
  readonly whileRunning?: WhileRunning
  /** The message that it stands for, on a branch of its own. */
  readonly editOf?: string
  readonly at: number
  /** `waiting`: not sent, or sent and not confirmed. `accepted`: stored there, its fact not seen yet. `refused`: see error. */
  readonly status: 'waiting' | 'accepted' | 'refused'
  readonly attempts: number
  readonly error: ClientError | null
}

export interface OutboxOptions {
  readonly send: (message: PendingMessage) => Promise<SendReceipt>
  readonly changed: (messages: readonly PendingMessage[]) => void
  readonly retryFirstMs: number
  readonly retryMaxMs: number
}

/**
 * Messages of one conversation that are not in its log yet, in the order they were written.
 *
 * One is under way at a time, so that they arrive in order; it is sent again under the same id until the gateway
 * confirms it (a `pending` receipt is no confirmation) or refuses it for good. A refused one steps aside until it is
 * retried or discarded. `open` and `close` follow the conversation: nothing is sent while it is not open.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #pause = new Pause()
  readonly #receipts = new Map<string, PromiseWithResolvers<SendReceipt>>()
  #messages: readonly PendingMessage[]
  #open = false
  #pumping = false
  #underWay: string | null = null
  #ended = false

  constructor(options: OutboxOptions, saved: readonly PendingMessage[] = []) {
    this.#options = options
    this.#messages = saved.filter((message) => message.status !== 'accepted')
  }

  get messages(): readonly PendingMessage[] {
    return this.#messages
  }

  /** The receipt comes when it is confirmed, or rejects with RequestFailed when it is refused for good. */
  add(message: Pick<PendingMessage, 'id' | 'text' | 'agent' | 'at' | 'whileRunning' | 'editOf'>): Promise<SendReceipt> {
    if (this.#messages.length >= OUTBOX_MAX) {
      const details = { limit: OUTBOX_MAX }
      const message = 'Too many messages wait to be sent.'
      return Promise.reject(
        new RequestFailed({ code: 'OVERLOADED', message, action: 'Wait until some are sent.', details }),
      )
    }
    const receipt = Promise.withResolvers<SendReceipt>()
    receipt.promise.catch(() => undefined) // the view shows it too; nobody has to wait for the receipt
    this.#receipts.set(message.id, receipt)
    this.#replace([...this.#messages, { ...message, status: 'waiting', attempts: 0, error: null }])
    void this.#pump()
    return receipt.promise
  }

  retry(id: string): void {
    this.#update(id, { status: 'waiting', attempts: 0, error: null })
    void this.#pump()
  }

  /** False for the one that is under way: nobody knows whether it was stored. */
  discard(id: string): boolean {
    const message = this.#messages.find((other) => other.id === id)
    // One that was just refused is not under way any more, though its attempt has yet to return.
    if (message === undefined || (id === this.#underWay && message.status === 'waiting')) return false
    this.#replace(this.#messages.filter((message) => message.id !== id))
    this.#settle(id, (settle) => settle.reject(new RequestFailed(DISCARDED)))
    return true
  }

  /** Forgets what is confirmed and stands in the log too. */
  forget(inLog: (id: string) => boolean): void {
    const left = this.#messages.filter((message) => message.status !== 'accepted' || !inLog(message.id))
    if (left.length < this.#messages.length) this.#replace(left)
  }

  open(): void {
    this.#open = true
    void this.#pump()
  }

  close(): void {
    this.#open = false
    this.#pause.end()
  }

  end(): void {
    this.#ended = true
    this.close()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let head = this.#head(); head !== undefined; head = this.#head()) {
        this.#underWay = head.id
        const wait = await this.#attempt(head)
        this.#underWay = null
        if (wait > 0) await this.#pause.wait(wait)
      }
    } finally {
      this.#underWay = null
      this.#pumping = false
    }
  }

  #head(): PendingMessage | undefined {
    if (!this.#open || this.#ended) return undefined
    return this.#messages.find((message) => message.status === 'waiting')
  }

  /** Gives how long to wait before the next attempt of the same message; 0 when it is settled. */
  async #attempt(head: PendingMessage): Promise<number> {
    const attempts = head.attempts + 1
    const { retryFirstMs, retryMaxMs } = this.#options
    const wait = backoffMs(head.attempts, retryFirstMs, retryMaxMs, Math.random)
    try {
      const receipt = await this.#options.send(head)
      if (receipt.status === 'pending') {
        this.#update(head.id, { attempts })
        return wait
      }
      this.#update(head.id, { status: 'accepted', attempts, error: null })
      this.#settle(head.id, (settle) => settle.resolve(receipt))
      return 0
    } catch (thrown) {
      const error = failureOf(thrown)
      const gaveUp = error.code === 'INTERNAL' && attempts >= INTERNAL_ATTEMPTS
      if (isRetryable(error) && !gaveUp) {
        this.#update(head.id, { attempts, error })
        return Math.max(wait, retryAfterMs(error))
      }
      this.#update(head.id, { status: 'refused', attempts, error })
      this.#settle(head.id, (settle) => settle.reject(new RequestFailed(error)))
      return 0
    }
  }

  #settle(id: string, how: (settle: PromiseWithResolvers<SendReceipt>) => void): void {
    const receipt = this.#receipts.get(id)
    this.#receipts.delete(id)
    if (receipt !== undefined) how(receipt)
  }

  #update(id: string, change: Partial<PendingMessage>): void {
    this.#replace(this.#messages.map((message) => (message.id === id ? { ...message, ...change } : message)))
  }

  #replace(messages: readonly PendingMessage[]): void {
    this.#messages = messages
    this.#options.changed(messages)
  }
}
