import type { NatsConnection } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type {
  Appended,
  Bucket,
  Consumption,
  ConsumerSpec,
  Delivery,
  InboundMessage,
  Inbox,
  ObjectBucket,
  StoredMessage,
  StreamInfo,
  StreamSpec,
  Subscription,
  Transport,
} from '#shared/transport/port.ts'
import { append, tooLarge } from './append.ts'
import { ApiErrorCode, connectionGone, fromApiError, fromClientError } from './broker-error.ts'
import { openBucket } from './bucket.ts'
import { Consumers } from './consumers.ts'
import { inboundMessage } from './inbound.ts'
import { JetStreamApi } from './js-api.ts'
import { openObjects } from './objects.ts'
import { replay } from './replay.ts'
import { ReplyMux } from './reply-mux.ts'
import { directMessage } from './stored-message.ts'
import { readStreamInfo } from './stream-info.ts'
import { ensureStream, streamConfig } from './stream-config.ts'

/** What is published while the connection is gone waits up to this much; more is refused (BROKER_DOWN). */
export const WAITING_BYTES = 4 * 1024 * 1024
const NOTHING = new Uint8Array()

export interface NatsTransportSettings {
  /** Private subject space of this process; nobody else may be allowed to subscribe below it. */
  readonly prefix: string
  readonly replicas: number
  readonly apiPrefix: string
  /** What a handler threw, or what went wrong where nobody waits for an answer. */
  readonly onError: (error: Error) => void
}

interface Waiting {
  readonly subject: string
  readonly data: Uint8Array
  readonly reply: string
}

/**
 * The transport port on one NATS connection.
 *
 * Modes: *connected* ⇄ *disconnected* (the client library reconnects for ever; requests under way fail at once with an
 * unknown outcome, publishes wait in `#waiting`) → *closed*. The library drops what is published while it dials, which
 * is why they wait here. `#waiting` is sent in order before anything published after the reconnect.
 */
export class NatsTransport implements Transport {
  readonly #connection: NatsConnection
  readonly #settings: NatsTransportSettings
  readonly #mux: ReplyMux
  readonly #api: JetStreamApi
  readonly #consumers: Consumers
  readonly #listeners = new Set<(status: 'connected' | 'disconnected') => void>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #connected = true
  #closed = false
  #privateCount = 0

  constructor(connection: NatsConnection, settings: NatsTransportSettings) {
    this.#connection = connection
    this.#settings = settings
    this.#mux = new ReplyMux(connection, settings.prefix, settings.onError)
    this.#api = new JetStreamApi(this.#mux, settings.apiPrefix)
    this.#consumers = new Consumers(connection, this.#api, settings.prefix, settings.onError)
    void this.#follow()
  }

  publish(subject: string, data: Uint8Array, options?: { readonly reply?: string }): void {
    this.#checkSize(data)
    const reply = options?.reply ?? ''
    if (this.#connected) this.#send(subject, data, reply)
    else if (this.#closed || this.#waitingBytes + data.byteLength > WAITING_BYTES) throw connectionGone()
    else {
      this.#waitingBytes += data.byteLength
      this.#waiting.push({ subject, data: Uint8Array.from(data), reply })
    }
  }

  subscribe(
    subject: string,
    handler: (message: InboundMessage) => void,
    options?: { readonly queue?: string },
  ): Subscription {
    if (this.#closed) throw connectionGone()
    const subscription = this.#connection.subscribe(subject, {
      ...(options?.queue ? { queue: options.queue } : {}),
      callback: (error, message) => {
        if (error) this.#settings.onError(fromClientError(error, { subject }))
        else this.#handle(() => handler(inboundMessage(message)))
      },
    })
    return { unsubscribe: () => void (this.#connection.isClosed() || subscription.unsubscribe()) }
  }

  inbox(handler: (message: InboundMessage) => void): Inbox {
    return this.#mux.open((message) => handler(inboundMessage(message)))
  }

  ensureStream(spec: StreamSpec): Promise<void> {
    return ensureStream(this.#api, streamConfig(spec, this.#settings.replicas))
  }

  append(subject: string, data: Uint8Array, options: { readonly messageId: string }): Promise<Appended> {
    if (!this.#connected || this.#closed) return Promise.reject(connectionGone())
    return append(this.#mux, subject, data, options.messageId, this.#maxPayloadBytes)
  }

  async startAt(stream: string, sequence: number): Promise<void> {
    this.#checkConnected()
    const { messages, lastSequence } = await this.streamInfo(stream)
    if (messages > 0 || lastSequence >= sequence - 1) return
    // Up to a sequence beyond the last: the broker goes on there. It would take away what is stored.
    const answer = await this.#api.try(`STREAM.PURGE.${stream}`, { seq: sequence })
    if (answer.error) throw fromApiError(answer.error, { stream, sequence })
  }

  async consume(spec: ConsumerSpec, handler: (delivery: Delivery) => void): Promise<Consumption> {
    this.#checkConnected()
    return this.#consumers.open(spec, handler)
  }

  async deleteConsumer(stream: string, durable: string): Promise<boolean> {
    this.#checkConnected()
    const answer = await this.#api.try(`CONSUMER.DELETE.${stream}.${durable}`)
    if (answer.error?.err_code === ApiErrorCode.consumerNotFound) return false
    if (answer.error) throw fromApiError(answer.error, { stream, durable })
    return true
  }

  async consumers(stream: string): Promise<string[]> {
    this.#checkConnected()
    const names: string[] = []
    for (;;) {
      const page = await this.#api.ask<{ total: number; consumers: string[] | null }>(`CONSUMER.NAMES.${stream}`, {
        offset: names.length,
      })
      names.push(...(page.consumers ?? []))
      if (!page.consumers?.length || names.length >= page.total) return names.sort()
    }
  }

  async streamInfo(stream: string, subjectFilter?: string): Promise<StreamInfo> {
    this.#checkConnected()
    const { retention: _, ...info } = await readStreamInfo(this.#api, stream, subjectFilter)
    return info
  }

  read(
    stream: string,
    options: { readonly filters: readonly string[]; readonly from: number; readonly signal?: AbortSignal },
  ): AsyncIterable<StoredMessage> {
    const host = {
      connection: this.#connection,
      api: this.#api,
      mux: this.#mux,
      privateSubject: () => `${this.#settings.prefix}.p.${(++this.#privateCount).toString(36)}`,
      onDown: (listener: () => void) => this.#when('disconnected', listener),
    }
    return replay(host, stream, options)
  }

  async last(stream: string, subject: string): Promise<StoredMessage | null> {
    this.#checkConnected()
    return directMessage(await this.#mux.request(this.#api.subject(`DIRECT.GET.${stream}.${subject}`), NOTHING))
  }

  async at(stream: string, sequence: number): Promise<StoredMessage | null> {
    this.#checkConnected()
    const body = new TextEncoder().encode(JSON.stringify({ seq: sequence }))
    return directMessage(await this.#mux.request(this.#api.subject(`DIRECT.GET.${stream}`), body))
  }

  async remove(stream: string, sequence: number): Promise<boolean> {
    this.#checkConnected()
    const answer = await this.#api.try(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true })
    if (!answer.error) return true
    if ((await this.at(stream, sequence)) === null) return false
    throw fromApiError(answer.error, { stream, sequence })
  }

  async bucket(name: string, options: { readonly ttlMs: number }): Promise<Bucket> {
    this.#checkConnected()
    const host = {
      connection: this.#connection,
      api: this.#api,
      mux: this.#mux,
      replicas: this.#settings.replicas,
      onError: this.#settings.onError,
      onUp: (listener: () => void) => this.#when('connected', listener),
    }
    return openBucket(host, name, options.ttlMs)
  }

  objects(name: string): Promise<ObjectBucket> {
    this.#checkConnected()
    const { apiPrefix, replicas } = this.#settings
    return openObjects(this.#connection, { name, apiPrefix, replicas })
  }

  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async flush(): Promise<void> {
    this.#checkConnected()
    await this.#connection.flush().catch((error: unknown) => {
      throw fromClientError(error)
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#listeners.clear()
    this.#consumers.close()
    if (this.#connected) await this.#mux.idle()
    if (this.#connected) await this.#connection.drain().catch(() => undefined)
    this.#connected = false
    this.#mux.close()
    await this.#connection.close()
  }

  async #follow(): Promise<void> {
    for await (const { type, permissionContext } of this.#connection.status()) {
      if (type === 'disconnect') this.#down()
      else if (type === 'reconnect') this.#up()
      // The broker drops what may not be published and says so here only.
      else if (type === 'error' && permissionContext?.operation === 'publish') {
        const { subject } = permissionContext
        this.#settings.onError(new WaggleError('FORBIDDEN', { subject, reason: 'The broker refused to publish.' }))
      }
    }
  }

  #down(): void {
    if (!this.#connected) return
    this.#connected = false
    this.#mux.failAll()
    for (const listener of this.#listeners) this.#handle(() => listener('disconnected'))
  }

  #up(): void {
    if (this.#connected || this.#closed) return
    this.#connected = true
    for (const { subject, data, reply } of this.#waiting) this.#handle(() => this.#send(subject, data, reply))
    this.#waiting = []
    this.#waitingBytes = 0
    this.#consumers.probeAll()
    for (const listener of this.#listeners) this.#handle(() => listener('connected'))
  }

  #send(subject: string, data: Uint8Array, reply: string): void {
    try {
      this.#connection.publish(subject, data, reply === '' ? undefined : { reply })
    } catch (error) {
      throw fromClientError(error, { subject })
    }
  }

  #when(wanted: 'connected' | 'disconnected', listener: () => void): () => void {
    return this.onStatus((status) => {
      if (status === wanted) listener()
    })
  }

  #handle(fn: () => void): void {
    try {
      fn()
    } catch (error) {
      this.#settings.onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  get #maxPayloadBytes(): number {
    return this.#connection.info?.max_payload ?? Infinity
  }

  #checkSize(data: Uint8Array): void {
    if (data.byteLength > this.#maxPayloadBytes) throw tooLarge(data.byteLength, this.#maxPayloadBytes)
  }

  #checkConnected(): void {
    if (!this.#connected || this.#closed) throw connectionGone()
  }
}
