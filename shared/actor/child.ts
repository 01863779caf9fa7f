import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { decodeEnvelope, encodeEnvelope } from '#shared/wire/envelope.ts'
import type { Address, Envelope } from '#shared/wire/envelope.ts'
import { decodeKey } from '#shared/wire/names.ts'
import { commandSubject } from '#shared/wire/subjects.ts'
import type { ChildEnd, GivenUp } from './definition.ts'
import { AGAIN, GIVEN_UP, MAX_HISTORY, letter, letterId } from './letters.ts'
import type { HeldPartition, NodeParts } from './partition.ts'
import { RunScope } from './run-scope.ts'
import { parse } from './schema.ts'
import type { AttemptError, DeadLetter, RunChange, RunRow } from './store.ts'
import { superviseCrash } from './supervise.ts'

/**
 * A spawned child while its partition is held here: the row is the truth, this is the work on it (I4). It may wait for
 * anything, because its parent's mailbox does not wait for it.
 *
 * Modes (`#mode`)
 * - *opening*: its change is being written through its parent's lane, and our epoch opened in the log if it ran elsewhere;
 * - *queued*: waits for a run slot, fairly by tenant (`#withdraw` takes it out again);
 * - *running*: `#scope` is what the attempt holds; `#timer` ends its patience with a deaf one after a stop or the deadline;
 * - *waiting*: it crashed and supervision said resume or restart; `#timer` brings it back to queued;
 * - *over*: an `ended` item is with the parent, whose transaction writes the row's last state and the parent's reaction;
 *   or the partition was lost or released, nothing is written, and the next holder goes on from the row.
 *
 * A stop is in the row before it is told to the child, so that the next holder does not go on with what was stopped.
 */
export class Child {
  readonly row: RunRow
  readonly address: Address
  readonly parent: Address
  /** Resolves when there is nothing more to wait for. */
  readonly ended: Promise<void>
  readonly #held: HeldPartition
  readonly #parts: NodeParts
  readonly #envelope: Envelope
  readonly #done = new Deferred<void>()
  #mode: 'opening' | 'queued' | 'running' | 'waiting' | 'over' = 'opening'
  #scope: RunScope | null = null
  #timer: Cancel | null = null
  #withdraw: () => boolean = () => false
  #attempt: number
  #ranBefore: boolean
  #restarts: readonly number[]
  #outages = 0
  #nudges = 0
  /** Crashes on this holder, the newest. */
  readonly #history: AttemptError[] = []
  #stopping: string | null
  #startedAt = 0

  constructor(held: HeldPartition, parts: NodeParts, row: RunRow, resumed: boolean) {
    this.#held = held
    this.#parts = parts
    this.row = row
    this.address = `${row.kind}/${row.key}`
    this.parent = `${row.parentKind}/${row.parentKey}`
    this.#envelope = decodeEnvelope(row.envelope)
    this.#ranBefore = resumed
    this.#attempt = resumed ? row.attempt + 1 : row.attempt
    this.#restarts = row.restarts
    this.#stopping = stopIn(row)
    this.ended = this.#done.promise
  }

  get over(): boolean {
    return this.#mode === 'over'
  }

  start(): void {
    this.#startedAt = this.#parts.core.clock.elapsed()
    if (this.#stopping !== null) return this.#stopped()
    if (!this.#ranBefore) return this.#queue()
    if (this.#attempt > MAX_ATTEMPTS)
      return this.#end('failed', null, new WaggleError('GAVE_UP', { attempts: this.#attempt - 1 }))
    this.#write('running', null, true, () => this.#queue())
  }

  /** What is written with the step that stops it. */
  stopChange(reason: string): RunChange {
    return this.#change('running', null, stopMark(reason))
  }

  /** `ended` follows, when it has stopped or its grace is over. */
  stop(reason: string): void {
    if (this.over || this.#stopping !== null) return
    this.#stopping = reason
    if (this.#mode === 'waiting' || (this.#mode === 'queued' && this.#withdraw())) return this.#stopped()
    if (this.#mode !== 'running') return
    this.#scope?.abort(new WaggleError('CANCELLED', { reason }, { expected: true }))
    this.#giveUpIn(STOP_GRACES, () => {
      const error = new WaggleError('CANCELLED', { reason, couldNotStop: [this.address] })
      this.#end('stopped', null, error)
    })
  }

  nudge(): void {
    this.#nudges++
  }

  /** The partition goes to another holder, which resumes the row. */
  leave(): void {
    if (this.over) return
    this.#withdraw()
    this.#scope?.abort(new WaggleError('LEAVING'))
    this.#over()
  }

  /** Writes how it stands, then goes on with `then`, unless it was stopped meanwhile. */
  #write(state: RunRow['state'], error: unknown, opens: boolean, then: () => void): void {
    this.#mode = 'opening'
    this.#held
      .writeChild(this, () => this.#change(state, null, error), opens)
      .then(
        () => {
          if (this.over) return
          if (this.#stopping !== null) this.#stopped()
          else then()
        },
        (failure: unknown) => this.#held.lose(coded(failure)),
      )
  }

  #queue(): void {
    this.#mode = 'queued'
    this.#withdraw = this.#parts.runSlots.submit(this.row.tenant, () => this.#run())
  }

  async #run(): Promise<void> {
    if (this.over) return
    const { core, runs } = this.#parts
    const definition = runs.get(this.row.kind)
    if (definition === undefined) {
      const reason = 'The process that hosts the parent does not host the child.'
      return this.#end('failed', null, new WaggleError('UNKNOWN_KIND', { kind: this.row.kind, reason }))
    }
    const left = this.row.deadline - core.clock.now()
    if (left <= 0) return this.#end('failed', null, new WaggleError('DEADLINE', { waitedIn: 'queue' }))
    this.#mode = 'running'
    core.observe('run:started', { address: this.address, tenant: this.row.tenant, attempt: this.#attempt })
    this.#held.announce(this.row.tenant, this.address, 'running')
    const scope = new RunScope(
      this.#held,
      this.#parts,
      this.row,
      this.#envelope,
      this.#attempt,
      this.#ranBefore,
      () => this.#nudges,
    )
    this.#scope = scope
    this.#ranBefore = true
    this.#timer = core.clock.setTimeout(() => {
      scope.abort(new WaggleError('DEADLINE'))
      this.#giveUpIn(1, () => this.#end('failed', null, new WaggleError('DEADLINE', { couldNotStop: [this.address] })))
    }, left)
    const work = async (): Promise<void> => {
      try {
        const input = parse(definition.contract.input, this.#envelope.payload)
        const result = await definition.start(scope, input)
        await scope.factsStored()
        const output = parse(definition.contract.output, result, 'OUTPUT_INVALID')
        this.#end(this.#stopping === null ? 'done' : 'stopped', output, null)
      } catch (error) {
        const reason: unknown = scope.signal.aborted && this.#stopping === null ? scope.signal.reason : error
        this.#failed(coded(reason, 'CRASHED'))
      }
    }
    // Its slot is free when it is over, even if it does not listen and goes on unheard.
    await Promise.race([work(), this.#done.promise])
  }

  #failed(failure: WaggleError): void {
    if (this.over) return
    this.#timer?.()
    if (failure.code === 'STALE_EPOCH') return this.#held.lose(failure)
    if (this.#stopping !== null) return this.#end('stopped', null, failure)
    const declared = this.#parts.runs.get(this.row.kind)?.contract.fails ?? []
    if (failure.code === 'DEADLINE' || (failure.expected && declared.includes(failure.code)))
      return this.#end('failed', null, failure)
    this.#crashed(failure)
  }

  #crashed(failure: WaggleError): void {
    const { core } = this.#parts
    const { supervision } = this.#held.definition
    const { firstMs, maxMs } = supervision
    // An outage of the database or the broker is nobody's fault: it goes on when it is over, and counts no restart.
    const outage = OUTAGES.has(failure.code)
    const verdict = outage
      ? {
          final: false as const,
          decision: 'resume' as const,
          waitMs: backoffMs(this.#outages++, firstMs, maxMs, core.random),
          restarts: this.#restarts,
        }
      : superviseCrash(supervision, failure, this.#restarts, core.clock.now(), core.random)
    core.observe('run:crashed', {
      address: this.address,
      tenant: this.row.tenant,
      decision: verdict.decision,
      code: failure.code,
      message: failure.message,
    })
    this.#scope?.silence()
    if (!outage) this.#remember(failure)
    if (verdict.final) {
      const escalated = verdict.decision === 'escalate'
      if (escalated) this.#held.escalate(this)
      const gaveUp = new WaggleError('GAVE_UP', { reason: failure.message, last: failure.code })
      return this.#end('failed', null, verdict.gaveUp ? gaveUp : failure, escalated)
    }
    this.#restarts = verdict.restarts
    if (verdict.decision === 'restart') this.#attempt++
    this.#held.announce(this.row.tenant, this.address, 'restarting', failure.message.slice(0, 200))
    this.#write('waiting', { code: failure.code, message: failure.message }, false, () => {
      this.#mode = 'waiting'
      this.#timer = core.clock.setTimeout(() => this.#queue(), verdict.waitMs)
    })
  }

  #stopped(): void {
    this.#end('stopped', null, new WaggleError('CANCELLED', { reason: this.#stopping ?? '' }))
  }

  #giveUpIn(graces: number, work: () => void): void {
    this.#timer?.()
    this.#timer = this.#parts.core.clock.setTimeout(work, this.#parts.core.limits.cancelGraceMs * graces)
  }

  #end(state: ChildEnd['state'], result: unknown, failure: WaggleError | null, escalated = false): void {
    if (this.over) return
    const { core } = this.#parts
    const ms = core.clock.elapsed() - this.#startedAt
    core.observe('run:ended', { address: this.address, tenant: this.row.tenant, state, ms })
    this.#held.announce(this.row.tenant, this.address, 'ended', state)
    const error = failure === null ? null : { code: failure.code, message: failure.message, details: failure.details }
    const { kind, key } = this.row
    const end: ChildEnd = { kind, key: decodeKey(key), address: this.address, state, result, error, escalated }
    this.#over()
    const deadLetter = failure !== null && GIVEN_UP.has(failure.code) ? this.#letter(failure) : null
    this.#held.childEnded(this, this.#envelope, end, () => this.#change(state, result, error), deadLetter)
  }

  #remember({ code, message }: WaggleError): void {
    this.#history.push({ code, message, at: this.#parts.core.clock.now() })
    if (this.#history.length > MAX_HISTORY) this.#history.shift()
  }

  /** What could not be done, as a command to its parent, whose `again` begins it anew (I13). */
  #letter(error: WaggleError): DeadLetter {
    const { tenant, kind, key, parentKind, parentKey } = this.row
    const { id } = this.#envelope
    const payload: GivenUp = { kind, key: decodeKey(key), input: this.#envelope.payload }
    return letter(this.#parts.core, {
      id: letterId('run', `${this.address} ${id}`),
      tenant,
      subject: commandSubject(tenant, this.#held.partition, parentKind, parentKey),
      payload: encodeEnvelope({ ...this.#envelope, type: AGAIN, deadline: 0, payload }),
      error,
      attempts: Math.max(this.#attempt, this.#history.length),
      history: this.#history,
      trace: this.#envelope.trace,
    })
  }

  /** What it says from now on is not heard. */
  #over(): void {
    this.#mode = 'over'
    this.#timer?.()
    this.#scope?.silence()
    this.#done.resolve()
  }

  #change(state: RunRow['state'], result: unknown, error: unknown): RunChange {
    const { kind, key } = this.row
    const unfinished = state === 'running' || state === 'waiting'
    const mark = unfinished && this.#stopping !== null ? stopMark(this.#stopping) : error
    const { attempt, restarts } = { attempt: this.#attempt, restarts: this.#restarts }
    return { change: 'update', kind, key, state, attempt, restarts, result, error: mark }
  }
}

/** The error of an unfinished row that says it has been stopped. */
export function stopMark(reason: string): { readonly code: 'CANCELLED'; readonly stop: string } {
  return { code: 'CANCELLED', stop: reason }
}
export function stopIn(row: RunRow): string | null {
  const { error } = row
  return typeof error === 'object' && error !== null && 'stop' in error && typeof error.stop === 'string'
    ? error.stop
    : null
}

const OUTAGES: ReadonlySet<string> = new Set(['DATABASE_DOWN', 'BROKER_DOWN'])
/** Times `cancelGraceMs` that a child has to stop by itself. */
const STOP_GRACES = 5
/** Takeovers and restarts together; a run that outlives more holders than this is killing them. */
const MAX_ATTEMPTS = 100
