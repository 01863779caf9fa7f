import type { Msg, NatsConnection } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import type { StoredMessage } from '#shared/transport/port.ts'
import { connectionGone } from './broker-error.ts'
import { nanos } from './js-api.ts'
import type { JetStreamApi } from './js-api.ts'
import { REQUEST_MS } from './reply-mux.ts'
import type { ReplyMux } from './reply-mux.ts'
import { deliveredMessage, directMessage } from './stored-message.ts'

/** One batch is read by the caller while the next is under way: at most twice these are held. */
export const REPLAY_BATCH_MESSAGES = 1_024
export const REPLAY_BATCH_BYTES = 8 * 1024 * 1024
/** A consumer whose reader vanished (crash) goes away after this. */
const INACTIVE_MS = 10_000
/** The broker's word that nothing is left for this consumer. */
const NO_MESSAGES = 404

const encoder = new TextEncoder()

export interface ReplayHost {
  readonly connection: NatsConnection
  readonly api: JetStreamApi
  readonly mux: ReplyMux
  /** A subject below the private prefix that nothing else uses. */
  privateSubject(): string
  /** Calls back when the connection is lost; the result stops that. */
  onDown(listener: () => void): () => void
}

export interface ReplayRange {
  readonly stream: string
  readonly filter: string
  readonly from: number
  /** The last sequence that may be read. */
  readonly to: number
}

export interface ReplaySource {
  next(): Promise<StoredMessage | null>
  close(): void
}

/**
 * A short-lived pull consumer in the broker's memory, read in batches, the next one under way while one is read. Left
 * alone it goes away by itself.
 */
export class PullSource implements ReplaySource {
  readonly #host: ReplayHost
  readonly #range: ReplayRange
  #consumer = ''
  /** How many messages the consumer has for us; known when it is made. */
  #left = -1
  #ready: readonly StoredMessage[] = []
  #position = 0
  #next: Promise<StoredMessage[]> | null = null
  /** Ends the batch under way. */
  #abandon: () => void = () => undefined

  constructor(host: ReplayHost, range: ReplayRange) {
    this.#host = host
    this.#range = range
  }

  async next(): Promise<StoredMessage | null> {
    if (this.#left < 0) await this.#open()
    while (this.#position >= this.#ready.length) {
      if (!this.#next) return null
      this.#ready = await this.#next
      this.#position = 0
      this.#next = this.#left > 0 ? this.#fetch() : null
    }
    const message = this.#ready[this.#position++]!
    return message.sequence > this.#range.to ? null : message
  }

  close(): void {
    this.#next?.catch(() => undefined)
    this.#abandon()
    const { connection, api } = this.#host
    if (this.#consumer === '' || connection.isClosed()) return
    connection.publish(api.subject(`CONSUMER.DELETE.${this.#range.stream}.${this.#consumer}`))
  }

  async #open(): Promise<void> {
    const { stream, filter, from } = this.#range
    const created = await this.#host.api.ask<{ name: string; num_pending: number }>(`CONSUMER.CREATE.${stream}`, {
      stream_name: stream,
      config: {
        filter_subject: filter,
        deliver_policy: 'by_start_sequence',
        opt_start_seq: Math.max(1, from),
        ack_policy: 'none',
        replay_policy: 'instant',
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: nanos(INACTIVE_MS),
      },
    })
    this.#consumer = created.name
    this.#left = created.num_pending
    if (this.#left > 0) this.#next = this.#fetch()
  }

  #fetch(): Promise<StoredMessage[]> {
    const { connection, api } = this.#host
    const { stream } = this.#range
    const wanted = Math.min(this.#left, REPLAY_BATCH_MESSAGES)
    const batch: StoredMessage[] = []
    const done = new Deferred<StoredMessage[]>()
    const reply = this.#host.privateSubject()
    const subscription = connection.subscribe(reply, {
      callback: (_, message: Msg) => {
        // Newer brokers say "completed" after the last message too.
        if (done.settled) return
        // A status comes to the reply address itself: nothing left (the rest grew too old meanwhile), or enough bytes.
        const status = message.subject === reply ? (message.headers?.code ?? 0) : 0
        if (status === 0) batch.push(deliveredMessage(message))
        if (status === 0 && batch.length < wanted) return
        this.#left = status === NO_MESSAGES ? 0 : this.#left - batch.length
        if (batch.length > 0 || status === NO_MESSAGES) done.resolve(batch)
        else done.reject(new WaggleError('BROKER_DOWN', { stream, status, reason: 'The broker refused a replay.' }))
      },
    })
    const timer = setTimeout(
      () => done.reject(new WaggleError('BROKER_DOWN', { stream, reason: 'A replay stopped.' })),
      REQUEST_MS,
    )
    this.#abandon = () => done.resolve([])
    const stopListening = this.#host.onDown(() => done.reject(connectionGone()))
    const question = { batch: wanted, max_bytes: REPLAY_BATCH_BYTES, no_wait: true }
    const subject = api.subject(`CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`)
    connection.publish(subject, encoder.encode(JSON.stringify(question)), { reply })
    return done.promise.finally(() => {
      clearTimeout(timer)
      stopListening()
      if (!connection.isClosed()) subscription.unsubscribe()
    })
  }
}

/** One question for each message: slow, but it needs no consumer. For looking into a work queue. */
export class DirectSource implements ReplaySource {
  readonly #host: ReplayHost
  readonly #range: ReplayRange
  #from: number

  constructor(host: ReplayHost, range: ReplayRange) {
    this.#host = host
    this.#range = range
    this.#from = Math.max(1, range.from)
  }

  async next(): Promise<StoredMessage | null> {
    const { api, mux } = this.#host
    const { stream, filter, to } = this.#range
    if (this.#from > to) return null
    const question = encoder.encode(JSON.stringify({ seq: this.#from, next_by_subj: filter }))
    const message = directMessage(await mux.request(api.subject(`DIRECT.GET.${stream}`), question))
    if (!message || message.sequence > to) return null
    this.#from = message.sequence + 1
    return message
  }

  close(): void {
    this.#from = Infinity
  }
}
