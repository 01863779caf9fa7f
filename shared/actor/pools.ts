import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { decodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import type { Envelope, Reply } from '#shared/wire/envelope.ts'
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
 * request that cannot be taken is refused at once (OVERLOADED), one whose deadline passes or that is cancelled while it
 * waits is not begun, one at work is aborted and answers with what became of it (I8).
 *
 * Invariant: a request is in `#requests` from its admission until its answer, a stream's until its end.
 */
export class HostedPool {
  readonly kind: string
  readonly #core: Core
  readonly #reacher: Reacher
  readonly #definition: PoolDefinition
  readonly #queue: FairQueue
  readonly #requests = new Map<string, { readonly controller: AbortController }>()
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
    while (this.#requests.size > 0 && this.#core.clock.elapsed() < until) {
      await new Promise<void>((resolve) => void this.#core.clock.setTimeout(resolve, QUIET_LOOK_MS))
    }
    for (const { controller } of this.#requests.values()) controller.abort(new WaggleError('LEAVING'))
  }

  /** A call from this very process. The input was validated by the caller against the same contract. */
  async direct(envelope: Envelope, name: string, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted) throw coded(signal.reason, 'CANCELLED')
    const { clock, limits } = this.#core
    const outcome = this.#perform(envelope, name, (value) => value)
    // Like a caller elsewhere: it does not wait longer than its deadline, or for one that does not listen.
    return await new Promise((resolve, reject) => {
      const giveUp = (error: () => WaggleError, ms: number): (() => void) => clock.setTimeout(() => reject(error()), ms)
      const late =
        envelope.deadline === 0
          ? (): void => {}
          : giveUp(
              () => new WaggleError('DEADLINE', { address: `${this.kind}/${name}` }),
              envelope.deadline - clock.now(),
            )
      let deaf = (): void => {}
      const onAbort = (): void => {
        deaf = giveUp(
          () => new WaggleError('CANCELLED', { outcome: 'unknown' }, { expected: true }),
          limits.cancelGraceMs,
        )
        this.#requests.get(envelope.id)?.controller.abort(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      outcome.then(resolve, reject).finally(() => {
        late()
        deaf()
        signal?.removeEventListener('abort', onAbort)
      })
    })
  }

  #onAsk(message: InboundMessage): void {
    const answer = (reply: Reply): void => this.#publish(message.reply, encodeReply(reply))
    const fail = (error: unknown): void => answer({ kind: 'error', epoch: 0, error: coded(error, 'CRASHED') })
    try {
      const subject = parseSubject(message.subject)
      const envelope = decodeEnvelope(message.data)
      if (subject.lane !== 'ask' || subject.tenant !== envelope.tenant)
        throw new WaggleError('UNDECODABLE', { reason: 'The envelope names another tenant than the subject.' })
      const streaming = this.#definition.contract.messages[envelope.type]?.verb === 'stream'
      this.#perform(envelope, subject.name, async (value, signal) => {
        if (!streaming) return answer({ kind: 'value', epoch: 0, value })
        let number = 0
        for await (const item of value as AsyncIterable<unknown>) {
          if (signal.aborted) break
          answer({ kind: 'item', epoch: 0, number: number++, value: item })
        }
        if (!signal.aborted) answer({ kind: 'end', epoch: 0, number })
      }).catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  /** Runs the handler when its turn comes; `take` has its value while deadline and cancellation still hold. */
  #perform<Value>(
    envelope: Envelope,
    name: string,
    take: (value: unknown, signal: AbortSignal) => Value | Promise<Value>,
  ): Promise<Value> {
    const { clock } = this.#core
    this.#admit(envelope)
    const outcome = new Deferred<Value>()
    const controller = new AbortController()
    const { signal } = controller
    const left = envelope.deadline - clock.now()
    const late =
      envelope.deadline === 0
        ? (): void => {}
        : clock.setTimeout(() => controller.abort(new WaggleError('DEADLINE', { waitedIn: 'pool' })), left)
    const withdraw = this.#queue.submit(envelope.tenant, async () => {
      try {
        if (signal.aborted) throw coded(signal.reason, 'CANCELLED')
        if (envelope.deadline !== 0 && envelope.deadline <= clock.now())
          throw new WaggleError('DEADLINE', { waitedIn: 'pool' })
        const value = await take(await this.#work(envelope, name, signal), signal)
        if (signal.aborted) throw coded(signal.reason, 'CANCELLED')
        outcome.resolve(value)
      } catch (error) {
        outcome.reject(signal.aborted ? coded(signal.reason, 'CANCELLED') : coded(error, 'CRASHED'))
      } finally {
        late()
        this.#requests.delete(envelope.id)
      }
    })
    signal.addEventListener('abort', () => {
      if (!withdraw()) return
      late()
      this.#requests.delete(envelope.id)
      outcome.reject(coded(signal.reason, 'CANCELLED'))
    })
    if (!outcome.settled) this.#requests.set(envelope.id, { controller })
    return outcome.promise
  }

  async #work(envelope: Envelope, name: string, signal: AbortSignal): Promise<unknown> {
    const { clock, log, observe } = this.#core
    const started = clock.elapsed()
    const about = { address: `${this.kind}/${name}`, type: envelope.type, tenant: envelope.tenant }
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
        signal,
        reach: this.#reacher.within(origin, signal),
        log,
      }
      const value = await (on[envelope.type]! as (ctx: PoolContext, input: unknown) => unknown)(ctx, input)
      observe('call:answered:done', { ...about, ms: clock.elapsed() - started })
      return value
    } catch (error) {
      const failure = signal.aborted ? coded(signal.reason, 'CANCELLED') : coded(error, 'CRASHED')
      observe('call:answered:failed', { ...about, code: failure.code })
      if (!failure.expected && failure.code === 'CRASHED')
        log.error({ ...about, reason: failure.message }, 'a pool handler failed')
      throw failure
    }
  }

  #admit(envelope: Envelope): void {
    if (this.#closing) throw new WaggleError('LEAVING')
    const { waiting } = this.#queue
    const limit = this.#definition.queue
    if (waiting < limit) return
    this.#core.observe('limit:hit', { limit: 'queue', tenant: envelope.tenant, code: 'OVERLOADED' })
    throw new WaggleError('OVERLOADED', { kind: this.kind, waiting, limit })
  }

  #onSignal(message: InboundMessage): void {
    try {
      const signal = unpack(message.data)
      if (!Array.isArray(signal) || signal[1] !== CANCEL || typeof signal[2] !== 'string') return
      const cancelled = new WaggleError('CANCELLED', { outcome: 'stopped' }, { expected: true })
      this.#requests.get(signal[2])?.controller.abort(cancelled)
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
