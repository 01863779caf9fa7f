import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { decodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import type { Envelope } from '#shared/wire/envelope.ts'
import { unpack } from '#shared/wire/codec.ts'
import { decodeKey } from '#shared/wire/names.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { InboundMessage, Subscription } from '#shared/transport/port.ts'
import { CANCEL } from './calls.ts'
import type { Core } from './core.ts'
import type { PoolContext, PoolDefinition } from './definition.ts'
import { FairQueue } from './fair.ts'
import { causeOf, originWithin, specOf } from './message.ts'
import type { Reacher } from './reach.ts'
import { parse } from './schema.ts'

/** The pools hosted in this process, which its own actors call without the broker: same checks, same limits, same events. */
export class LocalPools {
  readonly #pools = new Map<string, HostedPool>()

  add(pool: HostedPool): void {
    this.#pools.set(pool.kind, pool)
  }
  remove(pool: HostedPool): void {
    this.#pools.delete(pool.kind)
  }
  find(kind: string): HostedPool | null {
    return this.#pools.get(kind) ?? null
  }
}

/**
 * One replica of a pool: a queue group member with bounded concurrency and a bounded queue, fair by tenant (I11). A
 * request that cannot be taken is refused at once (OVERLOADED), one whose deadline passed while it waited is not begun,
 * a cancelled one is aborted and answers with what became of it.
 */
export class HostedPool {
  readonly kind: string
  readonly #core: Core
  readonly #reacher: Reacher
  readonly #definition: PoolDefinition
  readonly #queue: FairQueue
  readonly #atWork = new Map<string, AbortController>()
  #subscriptions: Subscription[] = []
  #closing = false

  constructor(core: Core, reacher: Reacher, definition: PoolDefinition) {
    this.#core = core
    this.#reacher = reacher
    this.#definition = definition
    this.kind = definition.contract.kind
    this.#queue = new FairQueue(definition.concurrency, core.clock)
  }

  open(): void {
    const { transport } = this.#core
    this.#subscriptions = [
      transport.subscribe(filters.asks(this.kind), (message) => this.#onAsk(message), { queue: this.kind }),
      transport.subscribe(filters.signals(this.kind), (message) => this.#onSignal(message)),
    ]
  }

  /** Takes nothing new and resolves when what is at work is done, or `ms` have passed. */
  async close(ms: number): Promise<void> {
    this.#closing = true
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
    const until = this.#core.clock.elapsed() + ms
    while (this.#queue.active + this.#queue.waiting > 0 && this.#core.clock.elapsed() < until) {
      await new Promise<void>((resolve) => void this.#core.clock.setTimeout(resolve, QUIET_LOOK_MS))
    }
    for (const controller of this.#atWork.values()) controller.abort(new WaggleError('LEAVING'))
  }

  /** A call from this very process. The input was validated by the caller against the same contract. */
  async direct(envelope: Envelope, name: string, signal?: AbortSignal): Promise<unknown> {
    this.#admit(envelope)
    if (signal?.aborted) throw coded(signal.reason, 'CANCELLED')
    return await new Promise((resolve, reject) => {
      const onAbort = (): void => this.#atWork.get(envelope.id)?.abort(signal?.reason)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#queue.submit(envelope.tenant, async () => {
        try {
          if (signal?.aborted) throw coded(signal.reason, 'CANCELLED')
          resolve(await this.#work(envelope, name))
        } catch (error) {
          reject(coded(error, 'CRASHED'))
        } finally {
          signal?.removeEventListener('abort', onAbort)
        }
      })
    })
  }

  #onAsk(message: InboundMessage): void {
    let envelope: Envelope
    let name: string
    try {
      const subject = parseSubject(message.subject)
      envelope = decodeEnvelope(message.data)
      if (subject.lane !== 'ask' || subject.tenant !== envelope.tenant)
        throw new WaggleError('UNDECODABLE', { reason: 'The envelope names another tenant than the subject.' })
      name = subject.name
      this.#admit(envelope)
    } catch (error) {
      this.#publish(message.reply, encodeReply({ kind: 'error', epoch: 0, error: coded(error) }))
      return
    }
    this.#queue.submit(envelope.tenant, () => this.#serve(envelope, name, message.reply))
  }

  async #serve(envelope: Envelope, name: string, reply: string): Promise<void> {
    try {
      const streaming = this.#definition.contract.messages[envelope.type]?.verb === 'stream'
      const value = await this.#work(envelope, name)
      if (!streaming) return this.#publish(reply, encodeReply({ kind: 'value', epoch: 0, value }))
      let number = 0
      for await (const item of value as AsyncIterable<unknown>)
        this.#publish(reply, encodeReply({ kind: 'item', epoch: 0, number: number++, value: item }))
      this.#publish(reply, encodeReply({ kind: 'end', epoch: 0, number }))
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      this.#publish(reply, encodeReply({ kind: 'error', epoch: 0, error: failure }))
    }
  }

  async #work(envelope: Envelope, name: string): Promise<unknown> {
    const { clock, log, observe } = this.#core
    const started = clock.elapsed()
    const left = envelope.deadline - clock.now()
    if (envelope.deadline !== 0 && left <= 0) throw new WaggleError('DEADLINE', { waitedIn: 'queue' })
    const controller = new AbortController()
    const late =
      envelope.deadline === 0
        ? (): void => {}
        : clock.setTimeout(() => controller.abort(new WaggleError('DEADLINE')), left)
    this.#atWork.set(envelope.id, controller)
    const address = `${this.kind}/${name}`
    try {
      const { contract, on } = this.#definition
      const verb = contract.messages[envelope.type]?.verb === 'stream' ? 'stream' : 'ask'
      const spec = specOf(contract.messages, this.kind, envelope.type, verb)
      const input = parse(spec.input as never, envelope.payload)
      const origin = originWithin(envelope, `${this.kind}/${name}`, 0)
      const ctx: PoolContext = {
        tenant: envelope.tenant,
        name: decodeKey(name),
        cause: causeOf(envelope),
        signal: controller.signal,
        reach: this.#reacher.within(origin, controller.signal),
        log,
      }
      const value = await (on[envelope.type]! as (ctx: PoolContext, input: unknown) => unknown)(ctx, input)
      if (controller.signal.aborted) throw coded(controller.signal.reason, 'CANCELLED')
      observe('call:answered:done', {
        address,
        type: envelope.type,
        tenant: envelope.tenant,
        ms: clock.elapsed() - started,
      })
      return value
    } catch (error) {
      const failure = controller.signal.aborted ? coded(controller.signal.reason, 'CANCELLED') : coded(error, 'CRASHED')
      observe('call:answered:failed', { address, type: envelope.type, tenant: envelope.tenant, code: failure.code })
      if (!failure.expected && failure.code === 'CRASHED')
        log.error({ address, type: envelope.type, reason: failure.message }, 'a pool handler failed')
      throw failure
    } finally {
      late()
      this.#atWork.delete(envelope.id)
    }
  }

  #admit(envelope: Envelope): void {
    if (this.#closing) throw new WaggleError('LEAVING')
    if (this.#queue.waiting >= this.#definition.queue) {
      this.#core.observe('limit:hit', { limit: 'queue', tenant: envelope.tenant, code: 'OVERLOADED' })
      throw new WaggleError('OVERLOADED', {
        kind: this.kind,
        waiting: this.#queue.waiting,
        limit: this.#definition.queue,
      })
    }
  }

  #onSignal(message: InboundMessage): void {
    try {
      const signal = unpack(message.data)
      if (Array.isArray(signal) && signal[1] === CANCEL && typeof signal[2] === 'string') {
        this.#atWork.get(signal[2])?.abort(new WaggleError('CANCELLED', { outcome: 'stopped' }, { expected: true }))
      }
    } catch (error) {
      this.#core.log.debug({ subject: message.subject, code: coded(error).code }, 'a signal could not be read')
    }
  }

  #publish(reply: string, bytes: Uint8Array): void {
    if (reply === '') return
    try {
      this.#core.transport.publish(reply, bytes)
    } catch (error) {
      this.#core.log.warn({ code: coded(error).code }, 'an answer could not be sent')
    }
  }
}

const QUIET_LOOK_MS = 5
