import type { Msg, NatsConnection, Subscription as NatsSubscription } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import type { Consumption, ConsumerSpec, Delivery } from '#shared/transport/port.ts'
import { ApiErrorCode } from './broker-error.ts'
import { nanos } from './js-api.ts'
import type { JetStreamApi } from './js-api.ts'
import { NatsDelivery } from './delivery.ts'

/** The broker says "still here" this often on a consumer without messages. */
export const IDLE_HEARTBEAT_MS = 5_000
/** Silence longer than this makes us ask whether the consumer still exists and is still ours. */
export const SILENCE_MS = 3 * IDLE_HEARTBEAT_MS

interface Held {
  readonly spec: ConsumerSpec
  readonly deliverSubject: string
  readonly handler: (delivery: Delivery) => void
  readonly lost: Deferred<WaggleError>
  subscription: NatsSubscription
  heardAt: number
  probing: boolean
}

/**
 * The durable consumers this process reads, all push consumers with explicit acknowledgement, each delivering to a
 * private subject of its own. The broker keeps the position and the window, so nothing here has to survive a reconnect:
 * the client library subscribes again and the broker goes on.
 *
 * A consumer deleted by somebody else is noticed by the broker's advisory at once, and otherwise by its missing
 * heartbeats or at the next reconnect, when each is asked for. Invariants: a held consumer has one subscription; `lost`
 * is settled at most once, and after it no delivery reaches the handler.
 */
export class Consumers {
  readonly #connection: NatsConnection
  readonly #api: JetStreamApi
  readonly #prefix: string
  readonly #onError: (error: Error) => void
  readonly #held = new Set<Held>()
  #advisories: NatsSubscription | null = null
  #watch: NodeJS.Timeout | null = null
  #count = 0

  constructor(connection: NatsConnection, api: JetStreamApi, prefix: string, onError: (error: Error) => void) {
    this.#connection = connection
    this.#api = api
    this.#prefix = prefix
    this.#onError = onError
  }

  async open(spec: ConsumerSpec, handler: (delivery: Delivery) => void): Promise<Consumption> {
    const deliverSubject = `${this.#prefix}.d.${(++this.#count).toString(36)}`
    const subscription = this.#connection.subscribe(deliverSubject, {
      callback: (_, message) => this.#receive(held, message),
    })
    const held: Held = {
      spec,
      deliverSubject,
      handler,
      subscription,
      lost: new Deferred<WaggleError>(),
      heardAt: performance.now(),
      probing: false,
    }
    this.#held.add(held)
    this.#listen()
    try {
      await this.#create(spec, deliverSubject)
    } catch (error) {
      this.#release(held)
      throw error
    }
    return { lost: held.lost.promise, stop: () => this.#stop(held) }
  }

  /** After a reconnect: what happened meanwhile was told to nobody. */
  probeAll(): void {
    for (const held of this.#held) void this.#probe(held)
  }

  close(): void {
    for (const held of this.#held) this.#release(held)
  }

  async #create(spec: ConsumerSpec, deliverSubject: string): Promise<void> {
    const existing = await this.#api.try<{ config: { filter_subject?: string } }>(
      `CONSUMER.INFO.${spec.stream}.${spec.durable}`,
    )
    if (!existing.error && existing.config.filter_subject !== spec.filter) {
      throw new WaggleError('CONFLICT', { ...spec, reason: 'A consumer of this name has another filter.' })
    }
    await this.#api.ask(`CONSUMER.DURABLE.CREATE.${spec.stream}.${spec.durable}`, {
      stream_name: spec.stream,
      config: {
        durable_name: spec.durable,
        filter_subject: spec.filter,
        deliver_subject: deliverSubject,
        deliver_policy: 'all',
        replay_policy: 'instant',
        ack_policy: 'explicit',
        ack_wait: nanos(spec.ackWaitMs),
        max_ack_pending: spec.maxUnacknowledged,
        max_deliver: spec.maxDeliveries ?? -1,
        idle_heartbeat: nanos(IDLE_HEARTBEAT_MS),
        flow_control: true,
      },
    })
  }

  #receive(held: Held, message: Msg): void {
    held.heardAt = performance.now()
    // A status message (heartbeat or flow control) comes to the deliver subject itself, a real one keeps its own.
    if (message.subject === held.deliverSubject) {
      this.#answerStatus(message)
      return
    }
    try {
      held.handler(new NatsDelivery(this.#connection, message))
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #answerStatus(message: Msg): void {
    const stalled = message.headers?.get('Nats-Consumer-Stalled')
    const answerTo = stalled || message.reply
    if (answerTo) this.#connection.publish(answerTo)
  }

  async #stop(held: Held): Promise<void> {
    if (!this.#held.has(held)) return
    this.#release(held)
    await this.#connection.flush().catch(() => undefined)
  }

  #release(held: Held): void {
    this.#held.delete(held)
    if (!this.#connection.isClosed()) held.subscription.unsubscribe()
    if (this.#held.size > 0) return
    if (this.#watch) clearInterval(this.#watch)
    if (!this.#connection.isClosed()) this.#advisories?.unsubscribe()
    this.#watch = null
    this.#advisories = null
  }

  #listen(): void {
    this.#watch ??= setInterval(() => this.#checkSilence(), IDLE_HEARTBEAT_MS)
    this.#advisories ??= this.#connection.subscribe('$JS.EVENT.ADVISORY.CONSUMER.DELETED.*.*', {
      callback: (_, message) => {
        const [stream, durable] = message.subject.split('.').slice(-2)
        for (const held of this.#held) {
          if (held.spec.stream === stream && held.spec.durable === durable) void this.#probe(held)
        }
      },
    })
  }

  #checkSilence(): void {
    const now = performance.now()
    for (const held of this.#held) if (now - held.heardAt > SILENCE_MS) void this.#probe(held)
  }

  /** Lost when it is gone, or when it delivers to somebody else. */
  async #probe(held: Held): Promise<void> {
    if (held.probing) return
    held.probing = true
    try {
      const info = await this.#api.try<{ config: { deliver_subject?: string } }>(
        `CONSUMER.INFO.${held.spec.stream}.${held.spec.durable}`,
      )
      if (!this.#held.has(held)) return
      const code = info.error?.err_code
      const gone = code === ApiErrorCode.consumerNotFound || code === ApiErrorCode.streamNotFound
      if (gone || (!info.error && info.config.deliver_subject !== held.deliverSubject)) {
        this.#release(held)
        held.lost.resolve(
          new WaggleError('STALE_EPOCH', { durable: held.spec.durable, reason: 'The consumer was deleted.' }),
        )
      } else if (!info.error) held.heardAt = performance.now()
    } catch {
      // No answer: the next silence check or reconnect asks again.
    } finally {
      held.probing = false
    }
  }
}
