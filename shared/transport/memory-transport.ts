import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { checkBucketKey } from './bucket-key.ts'
import { INBOX_ROOT, MEMORY_MAX_PAYLOAD_BYTES } from './memory-broker.ts'
import type { BrokerCore } from './memory-broker.ts'
import type { MemoryBucket } from './memory-bucket.ts'
import type { Attachment, BrokerWorld } from './memory-consumer.ts'
import { Pipe } from './memory-pipe.ts'
import { Session } from './memory-session.ts'
import type { Registration } from './memory-session.ts'
import type {
  Appended,
  Bucket,
  BucketEntry,
  ObjectBucket,
  Consumption,
  ConsumerSpec,
  Delivery,
  InboundMessage,
  Inbox,
  StoredMessage,
  StreamInfo,
  StreamSpec,
  Subscription,
  Transport,
} from './port.ts'

/** A request to the broker that is not answered in this time fails with BROKER_DOWN; its outcome is then unknown. */
export const MEMORY_REQUEST_MS = 5_000
/** What is published while the connection is gone waits up to this much; more is refused (BROKER_DOWN). */
export const MEMORY_BUFFER_MESSAGES = 10_000
const READ_BATCH_MESSAGES = 256

export interface TransportHost {
  readonly core: BrokerCore
  readonly world: BrokerWorld
  readonly clock: Clock
  readonly onError: (error: Error) => void
  forget(transport: MemoryTransport): void
}

/**
 * One connection of one node to the memory broker.
 *
 * Modes: *connected* (a session with two pipes) ⇄ *disconnected* (no session; publishes wait in `#waiting`, requests
 * fail) → *gone* (closed or killed; nothing happens any more). A killed one settles nothing: its process is no more.
 * Everything that crosses to the broker goes through `#session.out`, everything that comes back through `#session.in`.
 */
export class MemoryTransport implements Transport {
  readonly node: string
  readonly #host: TransportHost
  readonly #inboxPrefix: string
  readonly #inboxes = new Map<string, (message: InboundMessage) => void>()
  readonly #registrations = new Set<Registration>()
  readonly #requests = new Set<{ fail(error: WaggleError): void; forget(): void }>()
  /** What the node notices by itself; not while it is paused. */
  readonly #self: Pipe
  readonly #listeners = new Set<(status: 'connected' | 'disconnected') => void>()
  #session: Session | null = null
  #waiting: ((session: Session) => void)[] = []
  #paused = false
  #gone = false
  #inboxCount = 0

  constructor(node: string, id: number, host: TransportHost) {
    this.node = node
    this.#host = host
    this.#inboxPrefix = `${INBOX_ROOT}${node}-${id}`
    this.#self = new Pipe(
      () => host.clock.now(),
      host.world.schedule,
      () => 0,
      `${node} notices`,
    )
    this.#registrations.add({
      attach: (session) =>
        host.core.ownInboxes(this.#inboxPrefix, (message) =>
          session.in.push(() => this.#handle(() => this.#inboxes.get(message.subject)?.(message))),
        ),
    })
    this.#open()
  }

  publish(subject: string, data: Uint8Array, options?: { readonly reply?: string }): void {
    this.#checkSize(data)
    const copy = Uint8Array.from(data)
    const reply = options?.reply ?? ''
    const send = (session: Session): void => session.out.push(() => this.#host.core.publish(subject, copy, reply))
    if (this.#session) send(this.#session)
    else if (this.#gone || this.#waiting.length >= MEMORY_BUFFER_MESSAGES) throw disconnected()
    else this.#waiting.push(send)
  }

  subscribe(
    subject: string,
    handler: (message: InboundMessage) => void,
    options?: { readonly queue?: string },
  ): Subscription {
    let active = true
    const queue = options?.queue ?? ''
    const unsubscribe = this.#register({
      attach: (session) =>
        this.#host.core.listen({
          subject,
          queue,
          deliver: (message) => session.in.push(() => active && this.#handle(() => handler(message))),
        }),
    })
    return {
      unsubscribe() {
        active = false
        unsubscribe()
      },
    }
  }

  inbox(handler: (message: InboundMessage) => void): Inbox {
    const subject = `${this.#inboxPrefix}.${++this.#inboxCount}`
    this.#inboxes.set(subject, handler)
    return { subject, close: () => void this.#inboxes.delete(subject) }
  }

  ensureStream(spec: StreamSpec): Promise<void> {
    return this.#request(() => this.#host.core.ensureStream(spec))
  }

  append(subject: string, data: Uint8Array, options: { readonly messageId: string }): Promise<Appended> {
    if (data.byteLength > MEMORY_MAX_PAYLOAD_BYTES) return Promise.reject(tooLarge(data))
    const copy = Uint8Array.from(data)
    return this.#request(() => this.#host.core.append(subject, copy, options.messageId), 'append')
  }

  startAt(stream: string, sequence: number): Promise<void> {
    return this.#request(() => this.#host.core.stream(stream).startAt(sequence))
  }

  async consume(spec: ConsumerSpec, handler: (delivery: Delivery) => void): Promise<Consumption> {
    const { core } = this.#host
    const lost = new Deferred<WaggleError>()
    let active = true
    const loss = (): void =>
      lost.resolve(new WaggleError('STALE_EPOCH', { durable: spec.durable, reason: 'The consumer was deleted.' }))
    const attach = (session: Session): (() => void) => {
      const consumer = core.stream(spec.stream).consumers.get(spec.durable)
      if (!consumer) {
        session.in.push(loss)
        return () => undefined
      }
      const attachment: Attachment = {
        deliver: (message, deliveries) =>
          session.in.push(() => {
            if (active) this.#handle(() => handler(this.#delivery(spec, message, deliveries)))
          }),
        lost: () => session.in.push(loss),
      }
      consumer.attach(attachment)
      return () => consumer.detach(attachment)
    }
    // Opened and attached in one step: the broker never has a consumer of ours that delivers to nobody.
    const registration: Registration = { attach }
    await this.#request((session) => {
      core.stream(spec.stream).open(spec)
      session.attach(registration)
    })
    this.#registrations.add(registration)
    return {
      lost: lost.promise,
      stop: async () => {
        active = false
        this.#registrations.delete(registration)
        if (this.#session) await this.#request((session) => session.detach(registration)).catch(() => undefined)
      },
    }
  }

  deleteConsumer(stream: string, durable: string): Promise<boolean> {
    return this.#request(() => this.#host.core.stream(stream).deleteConsumer(durable))
  }

  consumers(stream: string): Promise<string[]> {
    return this.#request(() => [...this.#host.core.stream(stream).consumers.keys()].sort())
  }

  streamInfo(stream: string, subjectFilter?: string): Promise<StreamInfo> {
    return this.#request(() => this.#host.core.stream(stream).info(subjectFilter))
  }

  async *read(
    stream: string,
    options: { readonly filters: readonly string[]; readonly from: number; readonly signal?: AbortSignal },
  ): AsyncIterable<StoredMessage> {
    const { core } = this.#host
    let from = options.from
    const { lastSequence: tail } = await this.streamInfo(stream)
    while (from <= tail) {
      const start = from
      const batch = await this.#request(() =>
        core.stream(stream).range(options.filters, start, tail, READ_BATCH_MESSAGES),
      )
      for (const message of batch) {
        if (options.signal?.aborted) throw new WaggleError('CANCELLED', { stream })
        yield message
      }
      if (batch.length < READ_BATCH_MESSAGES) return
      from = batch.at(-1)!.sequence + 1
    }
  }

  last(stream: string, subject: string): Promise<StoredMessage | null> {
    return this.#request(() => this.#host.core.stream(stream).last(subject))
  }

  at(stream: string, sequence: number): Promise<StoredMessage | null> {
    return this.#request(() => this.#host.core.stream(stream).at(sequence))
  }

  remove(stream: string, sequence: number): Promise<boolean> {
    return this.#request(() => this.#host.core.stream(stream).remove(sequence))
  }

  async bucket(name: string, options: { readonly ttlMs: number }): Promise<Bucket> {
    const bucket = await this.#request(() => this.#host.core.bucket(name, options.ttlMs))
    return {
      put: (key, value) => this.#write(key, () => bucket.put(key, Uint8Array.from(value))),
      entries: () => this.#request(() => bucket.entries()),
      delete: (key) => this.#write(key, () => bucket.delete(key)),
      watch: (handler) => this.#watch(bucket, handler),
    }
  }

  async objects(name: string): Promise<ObjectBucket> {
    const held = await this.#request(() => this.#host.core.objects(name))
    return {
      put: async (object, content) => {
        const parts: Uint8Array[] = []
        for await (const part of content) parts.push(Uint8Array.from(part))
        await this.#request(() => held.set(object, parts))
        return parts.reduce((sum, part) => sum + part.byteLength, 0)
      },
      get: async (object) => {
        const parts = await this.#request(() => held.get(object))
        return parts === undefined ? null : pieces(parts)
      },
      remove: async (object) => void (await this.#request(() => held.delete(object))),
      names: (prefix) => this.#request(() => [...held.keys()].filter((object) => object.startsWith(prefix))),
    }
  }

  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  flush(): Promise<void> {
    return this.#request(() => undefined)
  }

  async close(): Promise<void> {
    if (this.#gone) return
    // What is under way to this node is still handled; the answer to `flush` comes behind it.
    for (const registration of this.#registrations) this.#unregister(registration)
    if (this.#session) await this.flush().catch(() => undefined)
    this.#end()
    for (const request of this.#requests) request.fail(disconnected())
  }

  // What the broker's fault switches do to this node.

  pause(): void {
    this.#paused = true
    this.#self.hold()
    this.#session?.hold()
  }

  resume(): void {
    this.#paused = false
    this.#self.release()
    this.#session?.release()
  }

  disconnect(): void {
    const session = this.#session
    if (!session) return
    this.#session = null
    session.end()
    const failing = Array.from(this.#requests)
    this.#self.push(() => {
      for (const request of failing) request.fail(disconnected())
      for (const listener of this.#listeners) this.#handle(() => listener('disconnected'))
    })
  }

  reconnect(): void {
    if (this.#gone || this.#session) return
    this.#open()
    this.#self.push(() => {
      for (const listener of this.#listeners) this.#handle(() => listener('connected'))
    })
  }

  kill(): void {
    for (const request of this.#requests) request.forget()
    this.#end()
  }

  #end(): void {
    this.#gone = true
    this.#self.cut()
    this.#session?.end()
    this.#session = null
    this.#waiting = []
    this.#inboxes.clear()
    this.#listeners.clear()
    this.#registrations.clear()
    this.#host.forget(this)
  }

  #open(): void {
    const { world, clock } = this.#host
    const latency = (): number => {
      const { latencyMinMs, latencyMaxMs } = world.faults
      return latencyMaxMs > latencyMinMs
        ? Math.round(latencyMinMs + world.random() * (latencyMaxMs - latencyMinMs))
        : latencyMinMs
    }
    const pipe = (what: string): Pipe => new Pipe(() => clock.now(), world.schedule, latency, `${this.node} ${what}`)
    const session = new Session(pipe('to broker'), pipe('from broker'))
    if (this.#paused) session.hold()
    this.#session = session
    for (const registration of this.#registrations) session.out.push(() => session.attach(registration))
    for (const send of this.#waiting.splice(0)) send(session)
  }

  #register(registration: Registration): () => void {
    this.#registrations.add(registration)
    const session = this.#session
    session?.out.push(() => session.attach(registration))
    return () => this.#unregister(registration)
  }

  #unregister(registration: Registration): void {
    this.#registrations.delete(registration)
    const session = this.#session
    session?.out.push(() => session.detach(registration))
  }

  #delivery(spec: ConsumerSpec, message: StoredMessage, deliveries: number): Delivery {
    const { core, world } = this.#host
    // By name, as a real broker does: an acknowledgement would count for a consumer made anew under the same name.
    const tell = (word: 'ack' | 'working'): void =>
      this.#session?.out.push(() =>
        core.streams.get(spec.stream)?.consumers.get(spec.durable)?.[word](message.sequence),
      )
    return {
      subject: message.subject,
      data: message.data,
      sequence: message.sequence,
      deliveries,
      ack: () => {
        if (!chance(world, world.faults.lostAckRate)) tell('ack')
      },
      working: () => tell('working'),
    }
  }

  async #write<T>(key: string, write: () => T): Promise<T> {
    checkBucketKey(key)
    return this.#request(write)
  }

  /** Changes as they come; after a reconnect, what differs from what this watcher knows. */
  async #watch(bucket: MemoryBucket, handler: (key: string, entry: BucketEntry | null) => void): Promise<() => void> {
    let known: Map<string, number> | null = null
    let active = true
    const tell = (session: Session, key: string, entry: BucketEntry | null): void =>
      session.in.push(() => {
        if (entry) known?.set(key, entry.revision)
        else known?.delete(key)
        if (active) this.#handle(() => handler(key, entry))
      })
    const watcher: Registration = {
      attach: (session) => {
        const current = bucket.current()
        if (known) {
          for (const [key, entry] of current) if (known.get(key) !== entry.revision) tell(session, key, entry)
          for (const key of known.keys()) if (!current.has(key)) tell(session, key, null)
        }
        known ??= new Map([...current].map(([key, { revision }]) => [key, revision]))
        return bucket.watch((key, entry) => tell(session, key, entry))
      },
    }
    await this.#request((session) => session.attach(watcher))
    this.#registrations.add(watcher)
    return () => {
      active = false
      this.#unregister(watcher)
    }
  }

  /** One question to the broker, asked in order with everything else this node sends. */
  #request<T>(ask: (session: Session) => T, kind: 'append' | 'other' = 'other'): Promise<T> {
    const session = this.#session
    if (!session) return Promise.reject(disconnected())
    const answer = new Deferred<T>()
    const { world, clock } = this.#host
    const settle = (finish: () => void): void => {
      cancelTimeout()
      this.#requests.delete(entry)
      if (!answer.settled) finish()
    }
    const entry = {
      fail: (error: WaggleError): void => settle(() => answer.reject(error)),
      forget: (): void => settle(() => undefined),
    }
    const cancelTimeout = clock.setTimeout(
      () => session.in.push(() => entry.fail(new WaggleError('BROKER_DOWN', { reason: 'No answer in time.' }))),
      MEMORY_REQUEST_MS,
    )
    this.#requests.add(entry)
    session.out.push(() => {
      let finish: () => void
      try {
        const value = ask(session)
        finish = () => settle(() => answer.resolve(value))
      } catch (error) {
        finish = () => entry.fail(coded(error))
      }
      if (kind === 'append' && chance(world, world.faults.lostAppendAnswerRate)) return
      if (kind === 'append' && chance(world, world.faults.lateAppendAnswerRate)) {
        world.schedule(
          () => session.in.push(finish),
          Math.round(world.random() * world.faults.lateAppendAnswerMs),
          `late answer to ${this.node}`,
        )
      } else session.in.push(finish)
    })
    return answer.promise
  }

  #handle(fn: () => void): void {
    if (this.#gone) return
    try {
      fn()
    } catch (error) {
      this.#host.onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #checkSize(data: Uint8Array): void {
    if (data.byteLength > MEMORY_MAX_PAYLOAD_BYTES) throw tooLarge(data)
  }
}

function chance(world: BrokerWorld, rate: number): boolean {
  return rate > 0 && world.random() < rate
}

function disconnected(): WaggleError {
  return new WaggleError('BROKER_DOWN', { reason: 'The connection is gone.' })
}

function tooLarge(data: Uint8Array): WaggleError {
  return new WaggleError('TOO_LARGE', { bytes: data.byteLength, limit: MEMORY_MAX_PAYLOAD_BYTES })
}

async function* pieces(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}
