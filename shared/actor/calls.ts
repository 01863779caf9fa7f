import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { delay } from '#shared/lib/clock.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { decodeReply, encodeEnvelope } from '#shared/wire/envelope.ts'
import type { Envelope, Reply } from '#shared/wire/envelope.ts'
import { pack } from '#shared/wire/codec.ts'
import type { Core } from './core.ts'

/** One request and where it goes. */
export interface Call {
  readonly subject: string
  /** Where a cancellation is told. */
  readonly signal: string
  readonly envelope: Envelope
  /** For virtual actors: kind and partition, whose highest epoch seen is remembered; null for pools. */
  readonly holder: string | null
  /** How long nobody listening is taken for a change of holders; then UNREACHABLE. */
  readonly unreachableMs: number
}

/**
 * The asking side of calls: an inbox and a timer for each, nothing else. Answers of an activation that is known to have
 * been taken over are not heard (I1). A cancelled call tells the callee and waits a grace for what it has to say (I8).
 */
export class Calls {
  readonly #core: Core
  /** Highest epoch heard of each (kind, partition). */
  readonly #epochs = new Map<string, number>()
  #open = 0

  constructor(core: Core) {
    this.#core = core
  }

  /** Calls that wait for an answer. */
  get open(): number {
    return this.#open
  }

  async ask(call: Call, signal?: AbortSignal): Promise<unknown> {
    const bytes = encodeEnvelope(call.envelope)
    const { clock, random } = this.#core
    const started = clock.elapsed()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(call, bytes, signal)
      } catch (error) {
        // Nobody listening means that nobody has it: asking again cannot do it twice.
        const failure = coded(error)
        if (failure.code !== 'UNREACHABLE' || clock.elapsed() - started >= call.unreachableMs) throw failure
        const left = call.envelope.deadline - clock.now()
        const wait = backoffMs(attempt, FIRST_RETRY_MS, MAX_RETRY_MS, random)
        if (left <= wait) throw failure
        await delay(clock, wait, signal)
      }
    }
  }

  #once(call: Call, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { transport, clock } = this.#core
      if (signal?.aborted) return reject(cancelled(signal))
      const left = call.envelope.deadline - clock.now()
      if (left <= 0) return reject(new WaggleError('DEADLINE', { waitedIn: 'caller' }))
      let grace: Cancel | null = null
      const inbox = transport.inbox((message) => {
        if (message.unreachable === true)
          return finish(() => reject(new WaggleError('UNREACHABLE', { subject: call.subject })))
        const reply = this.#read(message.data, call)
        if (reply === null) return
        if (reply.kind === 'error') return finish(() => reject(reply.error))
        if (reply.kind === 'value')
          return finish(() => (signal?.aborted ? reject(cancelled(signal, 'completed')) : resolve(reply.value)))
      })
      const timer = clock.setTimeout(
        () => finish(() => reject(new WaggleError('DEADLINE', { subject: call.subject }))),
        left,
      )
      const onAbort = (): void => {
        this.#cancel(call)
        grace = clock.setTimeout(
          () => finish(() => reject(cancelled(signal!, 'unknown'))),
          this.#core.limits.cancelGraceMs,
        )
      }
      this.#open++
      const finish = (settle: () => void): void => {
        this.#open--
        timer()
        grace?.()
        inbox.close()
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        transport.publish(call.subject, bytes, { reply: inbox.subject })
      } catch (error) {
        finish(() => reject(coded(error, 'BROKER_DOWN')))
      }
    })
  }

  /** Items in order of their numbers; ends with the callee's end, throws its error, DEADLINE, or CANCELLED. */
  async *stream(call: Call, signal?: AbortSignal): AsyncGenerator<unknown> {
    const { transport, clock } = this.#core
    const bytes = encodeEnvelope(call.envelope)
    const buffer: Reply[] = []
    let failure: WaggleError | null = null as WaggleError | null
    let wake: () => void = () => {}
    const fail = (error: WaggleError): void => {
      failure = error
      wake()
    }
    const inbox = transport.inbox((message) => {
      if (message.unreachable === true) return fail(new WaggleError('UNREACHABLE', { subject: call.subject }))
      const reply = this.#read(message.data, call)
      if (reply === null) return
      if (reply.kind === 'error') return fail(reply.error)
      if (buffer.length >= MAX_STREAM_BUFFER)
        return fail(
          new WaggleError('OVERLOADED', { reason: 'The reader of a stream is too slow.', limit: MAX_STREAM_BUFFER }),
        )
      buffer.push(reply)
      wake()
    })
    const timer = clock.setTimeout(
      () => fail(new WaggleError('DEADLINE', { subject: call.subject })),
      Math.max(0, call.envelope.deadline - clock.now()),
    )
    const onAbort = (): void => fail(cancelled(signal!))
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#open++
    let ended = false
    try {
      signal?.throwIfAborted()
      transport.publish(call.subject, bytes, { reply: inbox.subject })
      for (let expected = 0; ;) {
        const reply = buffer.shift()
        if (reply === undefined) {
          if (failure !== null) throw failure
          await new Promise<void>((resolve) => (wake = resolve))
          continue
        }
        if (reply.kind === 'end' || reply.kind === 'item') {
          // Core NATS keeps the order of one publisher; a hole means that an item was lost on the way.
          if (reply.number !== expected)
            throw new WaggleError('BROKER_DOWN', { reason: `Item ${expected} of a stream was lost.` })
          expected++
        }
        if (reply.kind === 'end') {
          ended = true
          return
        }
        if (reply.kind === 'item') yield reply.value
      }
    } finally {
      this.#open--
      timer()
      inbox.close()
      signal?.removeEventListener('abort', onAbort)
      if (!ended && (failure === null || signal?.aborted === true || failure.code !== 'UNREACHABLE')) this.#cancel(call)
    }
  }

  /** Volatile: a callee that does not hear it ends with its deadline. */
  #cancel(call: Call): void {
    try {
      this.#core.transport.publish(call.signal, pack([1, CANCEL, call.envelope.id]))
    } catch (error) {
      this.#core.log.debug({ subject: call.signal, code: coded(error).code }, 'a cancellation could not be told')
    }
  }

  #read(data: Uint8Array, call: Call): Reply | null {
    let reply: Reply
    try {
      reply = decodeReply(data)
    } catch (error) {
      return { kind: 'error', epoch: 0, error: coded(error) }
    }
    if (call.holder !== null) {
      const known = this.#epochs.get(call.holder) ?? 0
      if (reply.epoch < known) return null
      if (reply.epoch > known) this.#epochs.set(call.holder, reply.epoch)
    }
    return reply
  }
}

/** The first field of a signal after its version. */
export const CANCEL = 'cancel'
const FIRST_RETRY_MS = 25
const MAX_RETRY_MS = 400
const MAX_STREAM_BUFFER = 10_000

function cancelled(signal: AbortSignal, outcome: 'stopped' | 'completed' | 'unknown' = 'stopped'): WaggleError {
  const reason = coded(signal.reason, 'CANCELLED')
  return new WaggleError('CANCELLED', { outcome, because: reason.code }, { expected: true })
}
