import type { WaggleError } from '#shared/errors/waggle-error.ts'

/**
 * What the runtime needs of a broker, and nothing more. Adapters: `memory.ts` (tests and the simulator) and
 * `shared/nats` (a real server); both pass the one contract suite in test/contract.
 *
 * An adapter supplies:
 * - core messaging, at most once, ordered per publisher and subject; a request nobody listens to is told at once;
 * - streams: an append is acknowledged when stored, a second append with the same message id within the stream's
 *   window is not stored again; a full stream refuses the new (OVERLOADED, or MAILBOX_FULL when it is the limit of one
 *   subject) and never drops the old, unless its retention is `age`;
 * - durable consumers of a work queue: a second one whose filter is the same, contains it or lies in it is refused
 *   (CONFLICT; of two that merely cross, as `a.*` and `*.b`, the oldest brokers admit both: never use such), and so is a
 *   second reader of one durable; deleting one makes all its unacknowledged messages available to the next, in stream
 *   order; an acknowledgement of a deleted one has no effect;
 * - a presence bucket whose reads may be stale.
 * It must not retry, reorder, or throw anything but WaggleError (BROKER_DOWN when the connection is gone).
 */
export interface Transport {
  /**
   * At most once. `reply` is where answers go. Throws TOO_LARGE above the broker's payload limit. Without a connection
   * it waits for the next one, up to a bound (then BROKER_DOWN). `data` must not be changed afterwards.
   */
  publish(subject: string, data: Uint8Array, options?: { readonly reply?: string }): void
  /** `queue`: of all subscribers of one queue name, one gets each message. */
  subscribe(
    subject: string,
    handler: (message: InboundMessage) => void,
    options?: { readonly queue?: string },
  ): Subscription
  /** A private reply address; cheap enough to make one for each request. No other user of the broker can read it. */
  inbox(handler: (message: InboundMessage) => void): Inbox

  /** Creates the stream or brings its limits up to date. */
  ensureStream(spec: StreamSpec): Promise<void>
  append(subject: string, data: Uint8Array, options: { readonly messageId: string }): Promise<Appended>
  /** What is appended next to a stream that holds nothing gets at least this sequence. */
  startAt(stream: string, sequence: number): Promise<void>
  consume(spec: ConsumerSpec, handler: (delivery: Delivery) => void): Promise<Consumption>
  /** True when it existed. */
  deleteConsumer(stream: string, durable: string): Promise<boolean>
  /** Names of the durable consumers of a stream. */
  consumers(stream: string): Promise<string[]>
  streamInfo(stream: string, subjectFilter?: string): Promise<StreamInfo>
  /** Stored messages matching any filter, from a sequence on, in order, up to the tail at the time of the call. */
  read(
    stream: string,
    options: { readonly filters: readonly string[]; readonly from: number; readonly signal?: AbortSignal },
  ): AsyncIterable<StoredMessage>
  /** The last stored message of one literal subject. */
  last(stream: string, subject: string): Promise<StoredMessage | null>
  at(stream: string, sequence: number): Promise<StoredMessage | null>
  /** Takes one message out of its stream; true when it was there. */
  remove(stream: string, sequence: number): Promise<boolean>

  /**
   * A small key-value bucket. An entry that is not put again goes away after `ttlMs`, which brokers round up by as much
   * as a second; no watcher is told. Keys are subject tokens (BAD_NAME).
   */
  bucket(name: string, options: { readonly ttlMs: number }): Promise<Bucket>
  /** Large content by name, kept until it is removed. */
  objects(name: string): Promise<ObjectBucket>

  /** Connection state changes; the returned function stops listening. */
  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void
  /** Resolves when everything published so far has reached the broker. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface InboundMessage {
  readonly subject: string
  readonly data: Uint8Array
  /** Where to answer, or empty. */
  readonly reply: string
  /** Set on an inbox when the request had no listener at all. */
  readonly unreachable?: boolean
  /** On the live lane (republished by the stream): its stream sequence, and that of the entry before it on this subject. */
  readonly sequence?: number
  readonly previous?: number
}

export interface Subscription {
  unsubscribe(): void
}

export interface Inbox {
  readonly subject: string
  close(): void
}

export interface StreamSpec {
  readonly name: string
  readonly subjects: readonly string[]
  /** `work`: a message is gone when acknowledged, a full stream refuses the new. `age`: the oldest go after maxAgeMs. */
  readonly retention: 'work' | 'age'
  readonly maxAgeMs?: number
  readonly maxMessages?: number
  readonly maxBytes?: number
  /** With `work`: the limit of one subject, which makes a bounded mailbox of each actor (MAILBOX_FULL). */
  readonly maxPerSubject?: number
  /** How long a message id is remembered. */
  readonly duplicateWindowMs: number
  /**
   * Keeps the broker's word about messages of these streams that a consumer delivered `maxDeliveries` times in vain: JSON
   * with `stream`, `consumer`, `stream_seq` and `deliveries`. The messages themselves stay where they are.
   */
  readonly exhaustedOf?: readonly string[]
  /** Republishes each stored message under `live.<subject>` with its numbers. */
  readonly live?: boolean
  readonly replicas?: number
  /** Memory instead of files; for tests. */
  readonly memory?: boolean
}

export interface Appended {
  readonly sequence: number
  readonly duplicate: boolean
}

export interface ConsumerSpec {
  readonly stream: string
  /**
   * Opening an existing one continues it. Never use the name of a deleted one again: an acknowledgement still under way
   * to it would count for the new (hence the epoch in it).
   */
  readonly durable: string
  readonly filter: string
  /** Without an acknowledgement or `working()` for this long, it is delivered again. */
  readonly ackWaitMs: number
  readonly maxUnacknowledged: number
  /** Beyond it a message is not delivered any more, and that is told (`StreamSpec.exhaustedOf`). Default: no end. */
  readonly maxDeliveries?: number
}

export interface Delivery {
  readonly subject: string
  readonly data: Uint8Array
  readonly sequence: number
  /** 1 the first time this consumer delivered it. */
  readonly deliveries: number
  /** Acknowledged for good; best effort: a lost acknowledgement leads to another delivery. */
  ack(): void
  /** Still at it: restarts the wait. */
  working(): void
}

export interface Consumption {
  /** Stops delivering; what was delivered may still be acknowledged. */
  stop(): Promise<void>
  /** Settles (STALE_EPOCH) when the consumer was deleted by somebody else: the holder has lost the partition. */
  readonly lost: Promise<WaggleError>
}

export interface StoredMessage {
  readonly subject: string
  readonly sequence: number
  readonly data: Uint8Array
  /** Milliseconds since 1970 at which it was stored. */
  readonly at: number
}

export interface StreamInfo {
  /** Milliseconds; another value means another stream under the same name. */
  readonly created: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly messages: number
  /** With a subject filter: messages stored for each matching subject. */
  readonly subjects: ReadonlyMap<string, number>
}

export interface ObjectBucket {
  /** Stores it whole or not at all, replacing what had the name. Resolves with its bytes. */
  put(name: string, content: AsyncIterable<Uint8Array>): Promise<number>
  /** Null when there is none. The content comes in pieces, in order, and throws when it is damaged. */
  get(name: string): Promise<AsyncIterable<Uint8Array> | null>
  /** Harmless when there is none. */
  remove(name: string): Promise<void>
  /** Names that begin with this, in no order. */
  names(prefix: string): Promise<readonly string[]>
}

export interface Bucket {
  put(key: string, value: Uint8Array): Promise<number>
  /** May be served by a follower, hence stale. */
  entries(): Promise<ReadonlyMap<string, BucketEntry>>
  delete(key: string): Promise<void>
  /**
   * Every change from now on, and after a reconnect what differs; null is a deletion. The returned function stops it.
   */
  watch(handler: (key: string, entry: BucketEntry | null) => void): Promise<() => void>
}

export interface BucketEntry {
  readonly value: Uint8Array
  readonly revision: number
}
