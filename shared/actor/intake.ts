import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import type { Envelope } from '#shared/wire/envelope.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { Consumption, Delivery, InboundMessage, Subscription } from '#shared/transport/port.ts'
import type { HostCore } from './core.ts'
import { announceLetter, letter, letterId, traceIn } from './letters.ts'
import { COMMANDS } from './streams.ts'

/** Who takes what comes in: a held partition. */
export interface IntakeOwner {
  readonly core: HostCore
  readonly kind: string
  readonly partition: number
  readonly epoch: number
  readonly lost: AbortSignal
  lose(error: WaggleError): void
  onCommand(tenant: string, key: string, envelope: Envelope, delivery: Delivery): void
  onCall(tenant: string, key: string, envelope: Envelope, reply: string): void
}

/**
 * What comes in for one held partition: its durable consumer of commands and its subscription to calls. It owns both, and
 * the deliveries that are not acknowledged.
 *
 * Modes: *listening* (calls find a listener and wait in `#early`) -> *ready* (calls are handed on) -> *consuming* ->
 * *closed*; while consuming, a broken connection makes it *reattaching*: nothing of the old consumer is taken any more.
 */
export class Intake {
  /** Commands up to this stream sequence may have been begun before: by an earlier holder, or before an interruption. */
  mark = 0
  readonly #owner: IntakeOwner
  readonly #durable: string
  readonly #outstanding = new Set<Delivery>()
  /** How often the connection has broken: what was delivered before is not acknowledged any more. */
  #breaks = 0
  #early: InboundMessage[] | null = []
  #consumption: Consumption | null = null
  #reattaching = false
  #calls: Subscription | null = null
  #stopListening: () => void = () => {}
  #closed = false

  constructor(owner: IntakeOwner) {
    this.#owner = owner
    this.#durable = durableName(owner.kind, owner.partition, owner.epoch)
  }

  /** Callers find a listener at once; what they ask waits until what was said before is known. */
  listen(): void {
    const { core, partition, kind } = this.#owner
    this.#calls = core.transport.subscribe(filters.calls(partition, kind), (message) => this.#onCall(message))
    this.#stopListening = core.transport.onStatus((status) => this.#onStatus(status))
  }

  ready(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const message of early) this.#onCall(message)
  }

  /** @param durables consumers of the stream that exist: those of lower epochs of this partition are deleted */
  async consume(durables: readonly string[]): Promise<void> {
    const { core, kind, partition, epoch } = this.#owner
    const prefix = durableName(kind, partition, '')
    for (const name of durables) {
      if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < epoch)
        await core.transport.deleteConsumer(COMMANDS, name)
    }
    await this.#attach()
  }

  /** Keeps what is at work from being delivered again. */
  beat(): void {
    for (const delivery of this.#outstanding) delivery.working()
  }

  /** Takes nothing new. What was delivered may still be acknowledged. */
  async pause(): Promise<void> {
    this.#closed = true
    this.#calls?.unsubscribe()
    await this.#consumption?.stop()
  }

  /** Gives what is not acknowledged to the next holder at once. */
  async leave(): Promise<void> {
    const { core } = this.#owner
    await core.transport.deleteConsumer(COMMANDS, this.#durable).catch((error: unknown) => {
      core.log.debug({ code: coded(error).code }, 'the consumer could not be deleted; the next holder does it')
    })
  }

  close(): void {
    this.#closed = true
    this.#stopListening()
    this.#calls?.unsubscribe()
    void this.#consumption?.stop().catch(() => {})
    this.#consumption = null
    this.#outstanding.clear()
  }

  async #attach(): Promise<void> {
    const { core, kind, partition, lost } = this.#owner
    this.mark = (await core.transport.streamInfo(COMMANDS)).lastSequence
    lost.throwIfAborted()
    const consumption = await core.transport.consume(
      {
        stream: COMMANDS,
        durable: this.#durable,
        filter: filters.commands(partition, kind),
        ackWaitMs: core.limits.ackWaitMs,
        maxUnacknowledged: core.limits.window,
      },
      (delivery) => {
        if (!this.#reattaching) this.#onCommand(delivery)
      },
    )
    if (this.#closed) return await consumption.stop()
    this.#consumption = consumption
    void consumption.lost.then((error) => {
      if (this.#consumption === consumption) this.#owner.lose(error)
    })
  }

  /**
   * What was under way to us when the connection broke comes again only after its ack wait, and younger commands would
   * overtake it (I2). So the consumer is made anew: everything unacknowledged comes again at once, in order. If it is
   * gone, somebody else holds the partition.
   */
  #onStatus(status: 'connected' | 'disconnected'): void {
    if (this.#consumption === null || this.#closed) return
    if (status === 'disconnected') {
      this.#reattaching = true
      this.#breaks++
      this.#outstanding.clear()
    } else if (this.#reattaching) void this.#reattach(this.#consumption)
  }

  async #reattach(old: Consumption): Promise<void> {
    this.#consumption = null
    try {
      await old.stop()
      if (!(await this.#owner.core.transport.deleteConsumer(COMMANDS, this.#durable)))
        throw new WaggleError('STALE_EPOCH', { durable: this.#durable })
      if (this.#closed) return
      this.#reattaching = false
      await this.#attach()
    } catch (error) {
      // Whatever it was, a new epoch makes it good.
      this.#owner.lose(coded(error))
    }
  }

  #onCommand(delivery: Delivery): void {
    if (this.#closed) return
    const tracked = this.#track(delivery)
    try {
      const subject = parseSubject(delivery.subject)
      if (subject.lane !== 'cmd') throw new WaggleError('BAD_SUBJECT', { subject: delivery.subject })
      const envelope = decodeEnvelope(delivery.data)
      // The tenant of the subject is proved by the broker's permissions; an envelope that says another is a forgery (I9).
      if (envelope.tenant !== subject.tenant)
        throw new WaggleError('UNDECODABLE', { reason: 'The envelope names another tenant than the subject.' })
      this.#owner.onCommand(subject.tenant, subject.key, envelope, tracked)
    } catch (error) {
      void this.#buryUndecodable(tracked, coded(error))
    }
  }

  async #buryUndecodable(delivery: Delivery, error: WaggleError): Promise<void> {
    const { core, kind, partition } = this.#owner
    const { subject, data, sequence } = delivery
    const tenant = /^t\.([a-z0-9-]{1,120})\./.exec(subject)?.[1] ?? '-'
    const id = letterId(kind, `${partition}.${sequence}.${Buffer.from(data).toString('base64')}`)
    const buried = letter(core, { id, tenant, subject, payload: data, error, trace: traceIn(data) })
    try {
      await core.store.bury(buried)
      delivery.ack()
      announceLetter(core, buried, '')
    } catch (failure) {
      // Not acknowledged: it comes again, nothing is lost.
      core.log.error({ subject, code: coded(failure).code }, 'an undecodable message could not be buried')
      this.#outstanding.delete(delivery)
    }
  }

  #onCall(message: InboundMessage): void {
    if (this.#closed) return
    const { core } = this.#owner
    if (this.#early !== null) {
      // Beyond it the caller waits for its deadline; opening is shorter than that or does not succeed.
      if (this.#early.length < core.limits.calls) this.#early.push(message)
      return
    }
    try {
      const subject = parseSubject(message.subject)
      const envelope = decodeEnvelope(message.data)
      if (subject.lane !== 'call' || envelope.tenant !== subject.tenant) return
      this.#owner.onCall(subject.tenant, subject.key, envelope, message.reply)
    } catch (error) {
      core.log.warn({ subject: message.subject, code: coded(error).code }, 'a call could not be read')
    }
  }

  #track(delivery: Delivery): Delivery {
    const breaks = this.#breaks
    const tracked: Delivery = {
      subject: delivery.subject,
      data: delivery.data,
      sequence: delivery.sequence,
      deliveries: delivery.deliveries,
      ack: () => {
        this.#outstanding.delete(tracked)
        // After the loss it would be without effect at the broker, and must not even be tried (I1). What was delivered before
        // the connection broke comes again and is acknowledged then: a broker that has lost its tail meanwhile gives
        // the place to another command, and an acknowledgement is known by the place.
        if (!this.#owner.lost.aborted && breaks === this.#breaks) delivery.ack()
      },
      working: () => delivery.working(),
    }
    this.#outstanding.add(tracked)
    return tracked
  }
}

/** Deterministic, with the epoch: what makes a stale holder's consumer recognisable and deletable (I1). */
export function durableName(kind: string, partition: number, epoch: number | ''): string {
  return `${kind}-${partition}-e${epoch}`
}
