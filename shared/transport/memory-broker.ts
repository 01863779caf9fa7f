import { WaggleError } from '#shared/errors/waggle-error.ts'
import { MemoryBucket } from './memory-bucket.ts'
import type { BrokerWorld, ConsumerWorld } from './memory-consumer.ts'
import { MemoryStream } from './memory-stream.ts'
import { subjectMatches } from './subject-match.ts'
import type { Appended, InboundMessage, StreamSpec } from './port.ts'

export const MEMORY_MAX_PAYLOAD_BYTES = 1024 * 1024
/** Private reply addresses; no subscription, however wide, receives them. */
export const INBOX_ROOT = '_INBOX.'

export interface Interest {
  readonly subject: string
  readonly queue: string
  deliver(message: InboundMessage): void
}

/**
 * The broker itself, apart from connections: who listens to what, streams, buckets. Every method is one atomic step;
 * the pipes of the connections decide when it happens.
 */
export class BrokerCore {
  readonly streams = new Map<string, MemoryStream>()
  readonly #world: ConsumerWorld
  readonly #interests = new Set<Interest>()
  readonly #inboxes = new Map<string, (message: InboundMessage) => void>()
  readonly #buckets = new Map<string, MemoryBucket>()
  readonly #objects = new Map<string, Map<string, readonly Uint8Array[]>>()

  constructor(world: BrokerWorld) {
    this.#world = { ...world, now: () => world.now(), exhausted: (...about) => this.#exhausted(...about) }
  }

  listen(interest: Interest): () => void {
    this.#interests.add(interest)
    return () => void this.#interests.delete(interest)
  }

  /** `prefix` owns every reply address below it until the returned function is called. */
  ownInboxes(prefix: string, deliver: (message: InboundMessage) => void): () => void {
    this.#inboxes.set(prefix, deliver)
    return () => {
      if (this.#inboxes.get(prefix) === deliver) this.#inboxes.delete(prefix)
    }
  }

  /** A plain publish: at most once to listeners, and stored if a stream takes the subject (a refusal is then silent). */
  publish(subject: string, data: Uint8Array, reply: string): void {
    const stream = this.#streamFor(subject)
    try {
      if (stream) this.#store(stream, subject, data, '')
    } catch (error) {
      if (!(error instanceof WaggleError)) throw error
    }
    const reached = this.#route({ subject, data, reply })
    if (!reached && !stream && reply !== '') {
      this.#route({ subject: reply, data: new Uint8Array(), reply: '', unreachable: true })
    }
  }

  append(subject: string, data: Uint8Array, messageId: string): Appended {
    const stream = this.#streamFor(subject)
    if (!stream) throw new WaggleError('BROKER_DOWN', { subject, reason: 'No stream takes this subject.' })
    const appended = this.#store(stream, subject, data, messageId)
    this.#route({ subject, data, reply: '' })
    return appended
  }

  ensureStream(spec: StreamSpec): void {
    const known = this.streams.get(spec.name)
    if (known) known.update(spec)
    else this.streams.set(spec.name, new MemoryStream(spec, this.#world))
  }

  /** In the words of a real broker. */
  #exhausted(stream: string, consumer: string, sequence: number, deliveries: number): void {
    const word = { stream, consumer, stream_seq: sequence, deliveries }
    const data = new TextEncoder().encode(JSON.stringify(word))
    for (const keeper of this.streams.values()) {
      if (keeper.spec.exhaustedOf?.includes(stream) !== true) continue
      this.#store(keeper, `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`, data, '')
    }
  }

  stream(name: string): MemoryStream {
    const stream = this.streams.get(name)
    if (!stream) throw new WaggleError('BROKER_DOWN', { stream: name, reason: 'There is no such stream.' })
    return stream
  }

  objects(name: string): Map<string, readonly Uint8Array[]> {
    const known = this.#objects.get(name) ?? new Map<string, readonly Uint8Array[]>()
    this.#objects.set(name, known)
    return known
  }

  bucket(name: string, ttlMs: number): MemoryBucket {
    const known = this.#buckets.get(name)
    if (known) return known
    const bucket = new MemoryBucket(ttlMs, this.#world)
    this.#buckets.set(name, bucket)
    return bucket
  }

  #store(stream: MemoryStream, subject: string, data: Uint8Array, messageId: string): Appended {
    const { sequence, duplicate, previous } = stream.store(subject, data, messageId)
    if (!duplicate) {
      if (stream.spec.live) this.#route({ subject: `live.${subject}`, data, reply: '', sequence, previous })
      stream.offer()
    }
    return { sequence, duplicate }
  }

  #streamFor(subject: string): MemoryStream | undefined {
    for (const stream of this.streams.values()) if (stream.takes(subject)) return stream
    return undefined
  }

  /** True when somebody got it: all plain listeners, and one random member of each queue. */
  #route(message: InboundMessage): boolean {
    if (message.subject.startsWith(INBOX_ROOT)) {
      const prefix = message.subject.slice(0, message.subject.lastIndexOf('.'))
      const deliver = this.#inboxes.get(prefix)
      deliver?.(message)
      return deliver !== undefined
    }
    const queues = new Map<string, Interest[]>()
    let reached = false
    for (const interest of this.#interests) {
      if (!subjectMatches(interest.subject, message.subject)) continue
      reached = true
      if (interest.queue === '') interest.deliver(message)
      else queues.set(interest.queue, [...(queues.get(interest.queue) ?? []), interest])
    }
    for (const members of queues.values()) {
      members[Math.floor(this.#world.random() * members.length)]!.deliver(message)
    }
    return reached
  }
}
