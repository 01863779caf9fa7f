import type { Cancel } from '#shared/lib/clock.ts'
import { shuffle } from './memory-faults.ts'
import type { Faults } from './memory-faults.ts'
import type { Schedule } from './memory-pipe.ts'
import type { MemoryStream } from './memory-stream.ts'
import type { ConsumerSpec, StoredMessage } from './port.ts'

/** What streams and consumers need of the broker they live in. */
export interface BrokerWorld {
  readonly faults: Readonly<Faults>
  readonly schedule: Schedule
  now(): number
  random(): number
}
export interface ConsumerWorld extends BrokerWorld {
  /** A message was delivered in vain as often as it may be. */
  exhausted(stream: string, consumer: string, sequence: number, deliveries: number): void
}

/** The one reader of a consumer, on one connection. */
export interface Attachment {
  deliver(message: StoredMessage, deliveries: number): void
  /** The consumer was deleted. */
  lost(): void
}

interface Pending {
  deliveries: number
  deadline: number
}

/**
 * A durable consumer: where it stands in the stream, what it has delivered and not heard of.
 *
 * Invariants: `#pending` never exceeds maxUnacknowledged; an entry is in `#again` only while it is in `#pending`; after
 * `delete` nothing has any effect. A timer runs only while somebody is attached and something is pending.
 */
export class MemoryConsumer {
  readonly #stream: MemoryStream
  readonly #world: ConsumerWorld
  readonly #pending = new Map<number, Pending>()
  #again: number[] = []
  #attached: Attachment | null = null
  #spec: ConsumerSpec
  #next = 1
  #timer: Cancel | null = null
  #deleted = false

  constructor(spec: ConsumerSpec, stream: MemoryStream, world: ConsumerWorld) {
    this.#spec = spec
    this.#stream = stream
    this.#world = world
  }

  get spec(): ConsumerSpec {
    return this.#spec
  }

  get attached(): boolean {
    return this.#attached !== null
  }

  update(spec: ConsumerSpec): void {
    this.#spec = spec
  }

  attach(attachment: Attachment): void {
    this.#attached = attachment
    this.#sweep()
  }

  detach(attachment: Attachment): void {
    if (this.#attached !== attachment) return
    this.#attached = null
    this.#disarm()
  }

  /** Delivers what may be delivered: first again, then new. */
  pump(): void {
    while (!this.#deleted && this.#attached) {
      const message = this.#takeAgain() ?? this.#takeNew()
      if (!message) break
      const pending = this.#pending.get(message.sequence) ?? { deliveries: 0, deadline: 0 }
      pending.deliveries++
      pending.deadline = this.#world.now() + this.#spec.ackWaitMs
      this.#pending.set(message.sequence, pending)
      this.#attached.deliver(message, pending.deliveries)
    }
    this.#arm()
  }

  ack(sequence: number): void {
    if (this.#deleted || !this.#pending.delete(sequence)) return
    this.#again = this.#again.filter((other) => other !== sequence)
    this.#stream.acknowledged(sequence)
    this.pump()
  }

  working(sequence: number): void {
    const pending = this.#pending.get(sequence)
    if (this.#deleted || !pending) return
    // One whose wait had already run out is called back, as the broker does.
    this.#again = this.#again.filter((other) => other !== sequence)
    pending.deadline = this.#world.now() + this.#spec.ackWaitMs
    this.#arm()
  }

  delete(): void {
    this.#deleted = true
    this.#disarm()
    this.#attached?.lost()
    this.#attached = null
  }

  /** The stream lost everything after `last`. */
  rewind(last: number): void {
    this.#next = Math.min(this.#next, last + 1)
    for (const sequence of this.#pending.keys()) if (sequence > last) this.#pending.delete(sequence)
    this.#again = this.#again.filter((sequence) => sequence <= last)
  }

  #takeAgain(): StoredMessage | undefined {
    for (;;) {
      const sequence = this.#again.shift()
      if (sequence === undefined) return undefined
      const message = this.#stream.entry(sequence)
      const deliveries = this.#pending.get(sequence)?.deliveries ?? 0
      const exhausted = deliveries >= (this.#spec.maxDeliveries ?? Infinity)
      if (message && !exhausted) return message
      this.#pending.delete(sequence)
      if (message) this.#world.exhausted(this.#spec.stream, this.#spec.durable, sequence, deliveries)
    }
  }

  #takeNew(): StoredMessage | undefined {
    if (this.#pending.size >= this.#spec.maxUnacknowledged) return undefined
    const message = this.#stream.next(this.#spec.filter, this.#next)
    this.#next = (message?.sequence ?? this.#stream.lastSequence) + 1
    return message
  }

  /** Queues what nobody acknowledged in time, in stream order. */
  #sweep(): void {
    const now = this.#world.now()
    const queued = new Set(this.#again)
    const late: number[] = []
    for (const [sequence, { deadline }] of this.#pending) {
      if (deadline <= now && !queued.has(sequence)) late.push(sequence)
    }
    if (this.#world.faults.redeliveryOutOfOrder) shuffle(late, () => this.#world.random())
    else late.sort((a, b) => a - b)
    this.#again.push(...late)
    this.pump()
  }

  #arm(): void {
    this.#disarm()
    if (this.#deleted || !this.#attached || this.#pending.size === 0) return
    let first = Infinity
    for (const { deadline } of this.#pending.values()) first = Math.min(first, deadline)
    const wait = Math.max(1, first - this.#world.now())
    this.#timer = this.#world.schedule(
      () => {
        this.#timer = null
        this.#sweep()
      },
      wait,
      `ack wait of ${this.#spec.durable}`,
    )
  }

  #disarm(): void {
    this.#timer?.()
    this.#timer = null
  }
}
