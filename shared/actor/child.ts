import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { decodeKey } from '#shared/wire/names.ts'
import type { ChildEnd } from './definition.ts'
import type { HeldPartition, NodeParts } from './partition.ts'
import { RunScope } from './run-scope.ts'
import { parse } from './schema.ts'
import type { RunChange, RunRow } from './store.ts'
import { superviseCrash } from './supervise.ts'

/**
 * A spawned child while its partition is held here: the row is the truth, this is the work on it (I4). It may wait for
 * anything, because its parent's mailbox does not wait for it.
 *
 * Modes: *queued* (waits for a run slot, fairly by tenant) -> *running* -> one of
 * - *ended*: an `ended` item is with the parent; its transaction writes the row's last state and the parent's reaction;
 * - *waiting*: it crashed and supervision said resume or restart; a timer brings it back to queued;
 * - *left*: the partition was lost or released; nothing is written, the next holder goes on from the row.
 */
export class Child {
  readonly row: RunRow
  readonly address: Address
  readonly parent: Address
  readonly ended: Promise<void>
  readonly #held: HeldPartition
  readonly #parts: NodeParts
  readonly #envelope: Envelope
  readonly #done = new Deferred<void>()
  #scope: RunScope | null = null
  #resumed: boolean
  #attempt: number
  #restarts: readonly number[]
  #stopping: string | null = null
  #over = false
  #cancelWait: Cancel | null = null
  #withdraw: (() => boolean) | null = null
  #startedAt = 0

  constructor(held: HeldPartition, parts: NodeParts, row: RunRow, resumed: boolean) {
    this.#held = held
    this.#parts = parts
    this.row = row
    this.address = `${row.kind}/${row.key}`
    this.parent = `${row.parentKind}/${row.parentKey}`
    this.#envelope = decodeEnvelope(row.envelope)
    this.#resumed = resumed
    this.#attempt = resumed ? row.attempt + 1 : row.attempt
    this.#restarts = row.restarts
    this.ended = this.#done.promise
  }

  start(): void {
    this.#startedAt = this.#parts.core.clock.elapsed()
    void this.#begin()
  }

  /** `ended` follows, when it has stopped or its grace is over. */
  stop(reason: string): void {
    if (this.#over || this.#stopping !== null) return
    this.#stopping = reason
    if (this.#withdraw?.() === true || this.#cancelWait !== null)
      return this.#end('stopped', null, new WaggleError('CANCELLED', { reason }))
    this.#scope?.abort(new WaggleError('CANCELLED', { reason }, { expected: true }))
    this.#cancelWait = this.#parts.core.clock.setTimeout(() => {
      // It does not listen: it is ended without it, and what it says from now on is not heard.
      this.#scope?.silence()
      this.#end('stopped', null, new WaggleError('CANCELLED', { reason, couldNotStop: [this.address] }))
    }, this.#parts.core.limits.cancelGraceMs * STOP_GRACES)
  }

  /** The partition goes to another holder, which resumes the row. */
  leave(): void {
    if (this.#over) return
    this.#over = true
    this.#cancelWait?.()
    this.#withdraw?.()
    this.#scope?.abort(new WaggleError('LEAVING'))
    this.#scope?.silence()
    this.#done.resolve()
  }

  async #begin(): Promise<void> {
    try {
      if (this.#resumed) {
        if (this.#attempt > MAX_ATTEMPTS)
          return this.#end('failed', null, new WaggleError('GAVE_UP', { attempts: this.#attempt - 1 }))
        await this.#held.reopenChild(this, this.#change('running', null, null))
      }
    } catch (error) {
      const failure = coded(error)
      return failure.code === 'STALE_EPOCH' ? this.#held.lose(failure) : this.#crashed(failure)
    }
    if (this.#over) return
    this.#withdraw = this.#parts.runSlots.submit(this.row.tenant, () => this.#run())
  }

  async #run(): Promise<void> {
    this.#withdraw = null
    if (this.#over || this.#stopping !== null) return
    const { core, runs } = this.#parts
    const definition = runs.get(this.row.kind)
    if (definition === undefined) {
      return this.#end(
        'failed',
        null,
        new WaggleError('UNKNOWN_KIND', {
          kind: this.row.kind,
          reason: 'The process that hosts the parent does not host the child.',
        }),
      )
    }
    const left = this.row.deadline - core.clock.now()
    if (left <= 0) return this.#end('failed', null, new WaggleError('DEADLINE'))
    core.observe('run:started', { address: this.address, tenant: this.row.tenant, attempt: this.#attempt })
    this.#held.announce(this.row.tenant, this.address, 'running')
    const scope = new RunScope(
      this.#held,
      this.#parts,
      this.row,
      this.#envelope,
      this.#attempt,
      this.#resumed || this.#attempt > 1,
    )
    this.#scope = scope
    const late = core.clock.setTimeout(() => scope.abort(new WaggleError('DEADLINE')), left)
    try {
      const input = parse(definition.contract.input, this.#envelope.payload)
      const result = await definition.start(scope, input)
      await scope.flushed()
      const output = parse(definition.contract.output, result, 'OUTPUT_INVALID')
      this.#end(this.#stopping === null ? 'done' : 'stopped', output, null)
    } catch (error) {
      this.#failed(
        coded(scope.signal.aborted && this.#stopping === null ? (scope.signal.reason ?? error) : error, 'CRASHED'),
      )
    } finally {
      late()
    }
  }

  #failed(failure: WaggleError): void {
    if (this.#over) return
    if (failure.code === 'STALE_EPOCH') return this.#held.lose(failure)
    if (this.#stopping !== null) return this.#end('stopped', null, failure)
    const declared = this.#parts.runs.get(this.row.kind)?.contract.fails ?? []
    if (failure.code === 'DEADLINE' || (failure.expected && declared.includes(failure.code)))
      return this.#end('failed', null, failure)
    this.#crashed(failure)
  }

  #crashed(failure: WaggleError): void {
    const { core } = this.#parts
    const verdict = superviseCrash(
      this.#held.definition.supervision,
      failure,
      this.#restarts,
      core.clock.now(),
      core.random,
    )
    core.observe('run:crashed', {
      address: this.address,
      tenant: this.row.tenant,
      decision: verdict.decision,
      code: failure.code,
      message: failure.message,
    })
    if (verdict.final) {
      if (verdict.decision === 'escalate') this.#held.escalate(this)
      const error = verdict.gaveUp
        ? new WaggleError('GAVE_UP', { reason: failure.message, last: failure.code })
        : failure
      return this.#end('failed', null, error, verdict.decision === 'escalate')
    }
    this.#restarts = verdict.restarts
    if (verdict.decision === 'restart') this.#attempt++
    this.#resumed = false
    this.#held.announce(this.row.tenant, this.address, 'restarting', failure.message.slice(0, 200))
    const wait = (): void => {
      if (this.#over) return
      this.#cancelWait = core.clock.setTimeout(() => {
        this.#cancelWait = null
        if (!this.#over) this.#withdraw = this.#parts.runSlots.submit(this.row.tenant, () => this.#run())
      }, verdict.waitMs)
    }
    this.#held
      .reopenChild(this, this.#change('waiting', null, { code: failure.code, message: failure.message }))
      .then(wait, (error: unknown) => {
        if (coded(error).code === 'STALE_EPOCH') this.#held.lose(coded(error))
        else wait()
      })
  }

  #end(state: ChildEnd['state'], result: unknown, failure: WaggleError | null, escalated = false): void {
    if (this.#over) return
    this.#over = true
    this.#cancelWait?.()
    this.#scope?.silence()
    const { core } = this.#parts
    core.observe('run:ended', {
      address: this.address,
      tenant: this.row.tenant,
      state,
      ms: core.clock.elapsed() - this.#startedAt,
    })
    this.#held.announce(this.row.tenant, this.address, 'ended', state)
    const error = failure === null ? null : { code: failure.code, message: failure.message, details: failure.details }
    const end: ChildEnd = {
      kind: this.row.kind,
      key: decodeKey(this.row.key),
      address: this.address,
      state,
      result,
      error,
      escalated,
    }
    this.#held.childEnded(this, {
      is: 'ended',
      envelope: this.#envelope,
      end,
      change: this.#change(state, result, error),
    })
    this.#held.forgetChild(this)
    this.#done.resolve()
  }

  #change(state: RunRow['state'], result: unknown, error: unknown): RunChange {
    return {
      change: 'update',
      kind: this.row.kind,
      key: this.row.key,
      state,
      attempt: this.#attempt,
      restarts: this.#restarts,
      result,
      error,
    }
  }
}

/** Times `cancelGraceMs` that a child has to stop by itself. */
const STOP_GRACES = 5
/** Takeovers and restarts together; a run that outlives more holders than this is killing them. */
const MAX_ATTEMPTS = 100
