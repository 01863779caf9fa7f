import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import { decodeKey, keyHead } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import type { Cause, EffectResult, EmitOptions, RunContext } from './definition.ts'
import { causeOf, originWithin } from './message.ts'
import { messageId } from './outbox.ts'
import type { HeldPartition, NodeParts } from './partition.ts'
import type { Reach } from './ref.ts'
import type { EffectIntent, Fence, RunRow, TenantSql } from './store.ts'

/** What one attempt of a run holds (see RunContext). After `silence` nothing it says or writes has an effect. */
export class RunScope implements RunContext {
  readonly tenant: string
  readonly key: readonly string[]
  readonly address: Address
  readonly parent: Address
  readonly cause: Cause
  readonly attempt: number
  readonly resumed: boolean
  readonly fence: Fence
  readonly reach: Reach
  readonly log: Logger
  readonly #held: HeldPartition
  readonly #parts: NodeParts
  readonly #nudges: () => number
  readonly #end = new AbortController()
  /** Read anew for each message: grows while the run goes on. */
  readonly #taint: string[]
  #silent = false
  /** Ids of what it says begin with this: no other attempt, run or tenant says anything under them. */
  readonly #words: string
  #spoken = 0
  /** In flight, in order. A failed one is remembered until `flushed` has told of it. */
  #last: Promise<void> = Promise.resolve()
  #unsaid = 0
  /** The first fact that the broker did not take. */
  #lostFact: WaggleError | null = null

  constructor(
    held: HeldPartition,
    parts: NodeParts,
    row: RunRow,
    envelope: Envelope,
    attempt: number,
    resumed: boolean,
    nudges: () => number,
  ) {
    this.#nudges = nudges
    this.#held = held
    this.#parts = parts
    this.#taint = [...envelope.taint]
    this.tenant = row.tenant
    this.key = decodeKey(row.key)
    this.address = `${row.kind}/${row.key}`
    this.parent = `${row.parentKind}/${row.parentKey}`
    this.cause = { ...causeOf(envelope), deadline: row.deadline }
    this.attempt = attempt
    this.resumed = resumed
    this.fence = held.fence(row.tenant)
    this.log = parts.core.log
    this.#words = parts.core.newId()
    // The parent does not wait for a child: asking it is no cycle. The child itself is an ancestor of what it asks.
    const origin = { ...originWithin(envelope, this.address, held.epoch), deadline: row.deadline, taint: this.#taint }
    this.reach = parts.reacher.within(origin, this.signal)
  }

  get signal(): AbortSignal {
    return this.#end.signal
  }
  get nudges(): number {
    return this.#nudges()
  }
  newId(): string {
    return this.#parts.core.newId()
  }
  now(): number {
    return this.#parts.core.clock.now()
  }

  taint(source: string): void {
    if (!this.#taint.includes(source)) this.#taint.push(source)
  }

  abort(reason: WaggleError): void {
    this.#end.abort(reason)
  }
  silence(): void {
    this.#silent = true
    if (!this.#end.signal.aborted) this.#end.abort(OVER)
  }

  emit(type: string, payload: unknown, options: EmitOptions): void {
    if (this.#silent || this.#held.lost.aborted) return
    const { core, share } = this.#parts
    if (options.volatile === true && share.withholds(this.tenant)) return
    const made = `${this.#words}-${this.#spoken++}`
    const id = options.id ?? made
    const event = {
      id,
      type,
      version: 1,
      by: this.address,
      epoch: this.fence.epoch,
      control: options.control ?? 0,
      at: core.clock.now(),
      trace: this.cause.trace,
      payload,
    }
    const subject = eventSubject(this.tenant, options.scope ?? keyHead(this.#parentKey), options.audience)
    const data = encodeEvent(event)
    share.note(this.tenant, data.byteLength)
    const stored = core.events.append(subject, data, {
      messageId: messageId(subject, options.id, made),
    })
    const settled = stored.then(
      () => {},
      (error: unknown) => {
        this.#unsaid++
        if (options.volatile !== true) this.#lostFact ??= coded(error)
        core.log.warn({ run: this.address, type, code: coded(error).code }, 'an event of a run was not stored')
      },
    )
    this.#last = this.#last.then(() => settled)
  }

  async flushed(): Promise<boolean> {
    await this.#last
    const whole = this.#unsaid === 0
    this.#unsaid = 0
    return whole
  }

  async factsStored(): Promise<void> {
    await this.#last
    // What it says is no longer heard: somebody else goes on, from what is stored, and says it again.
    if (this.#silent || this.#held.lost.aborted) throw new WaggleError('LEAVING')
    if (this.#lostFact === null) return
    const { code } = this.#lostFact
    if (!NO_ROOM.has(code)) throw this.#lostFact
    throw new WaggleError('BROKER_DOWN', { reason: 'A fact of a run was not stored.', last: code })
  }

  async sql<Value>(work: (sql: TenantSql) => Promise<Value>): Promise<Value> {
    this.#check()
    const transaction = await this.#parts.core.store.begin(this.fence)
    try {
      const value = await work(transaction.sql)
      await transaction.commit({
        key: this.#parentKey,
        command: null,
        state: null,
        outbox: null,
        timers: [],
        runs: [],
        openings: [],
        deadLetter: null,
        clearAttempts: null,
      })
      return value
    } catch (error) {
      await transaction.rollback()
      throw error
    }
  }

  async effect<Value>(intent: Omit<EffectIntent, 'run'>, work: () => Promise<Value>): Promise<EffectResult<Value>> {
    this.#check()
    const { store } = this.#parts.core
    const row = await store.intend(this.fence, { ...intent, run: this.address })
    if (row.argsHash !== intent.argsHash) throw new WaggleError('ID_REUSED', { effect: intent.id })
    if (!row.fresh) {
      if (row.status === 'done') return { status: 'done', value: row.result as Value, repeated: true }
      if (row.status === 'failed') return { status: 'failed', error: row.result as { code: string; message: string } }
      // It was begun and never settled: repeated only where that does no harm (I3).
      if (row.status === 'unknown' || !row.repeatable) {
        if (row.status !== 'unknown') await store.settle(this.fence, intent.id, { status: 'unknown', result: null })
        return { status: 'unknown', row: { ...row, status: 'unknown' } }
      }
    }
    try {
      const value = await work()
      await store.settle(this.fence, intent.id, { status: 'done', result: value })
      return { status: 'done', value, repeated: false }
    } catch (error) {
      const failure = coded(error, 'CRASHED')
      if (failure.code === 'STALE_EPOCH' || failure.code === 'DATABASE_DOWN' || this.#silent) throw failure
      // Without an answer nobody knows whether it happened; a refusal or an error of the tool is an answer.
      const inDoubt = !intent.repeatable && IN_DOUBT.has(failure.code)
      const result = { code: failure.code, message: failure.message, details: failure.details }
      await store.settle(this.fence, intent.id, { status: inDoubt ? 'unknown' : 'failed', result })
      if (inDoubt) return { status: 'unknown', row: { ...row, status: 'unknown' } }
      return { status: 'failed', error: result }
    }
  }

  get #parentKey(): string {
    return this.parent.slice(this.parent.indexOf('/') + 1)
  }

  #check(): void {
    if (this.#silent) throw new WaggleError('LEAVING')
    this.#held.lost.throwIfAborted()
    if (this.#end.signal.aborted) throw coded(this.#end.signal.reason)
  }
}

/** Why whatever a run left under way is stopped after it; one for all, since a run's end is no failure and has no trace. */
const OVER = new WaggleError('LEAVING')
/** It would be taken at another time; what else a broker says of a fact, it says every time. */
const NO_ROOM: ReadonlySet<string> = new Set(['BROKER_DOWN', 'OVERLOADED'])
/** Words that say nothing about whether it happened: all others are an answer, of the tool or before it was reached. */
const IN_DOUBT: ReadonlySet<string> = new Set([
  'DEADLINE',
  'CANCELLED',
  'BROKER_DOWN',
  'LEAVING',
  'CRASHED',
  'INTERNAL',
  'UNDECODABLE',
])
