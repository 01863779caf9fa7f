import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { EFFECT_STRENGTH } from '../store.ts'
import { MemoryTransaction } from './memory-transaction.ts'
import type {
  AttemptError,
  CommitResult,
  DeadLetter,
  EffectIntent,
  EffectOutcome,
  EffectRow,
  Fence,
  LogMark,
  LogPlaceRow,
  OutboxRow,
  RelayedRow,
  Retired,
  RunRow,
  Step,
  Store,
  StoreTransaction,
  StoredState,
  TimerRow,
} from '../store.ts'
import type { LogPlace } from '../event-log.ts'
import type { Terms } from '../limits.ts'

/**
 * A database in memory with the semantics of the store port, for unit tests and the simulator. One database, a
 * connection for each node. Every call takes two trips of `latencyMs()`: the request may be lost before it arrives (a
 * killed or cut-off node: nothing happened) or its answer on the way back (it happened, and nobody here knows).
 *
 * Mutations switch a guarantee off, to prove that the simulator notices.
 */
export interface MemoryDatabaseOptions {
  readonly clock: Clock
  /** One way, in milliseconds; default 0. */
  readonly latencyMs?: () => number
  readonly random?: () => number
}

/** What the database does wrong on purpose: rates in [0, 1] for each call. May be changed at any time. */
export interface DatabaseFaults {
  /** The request is lost: nothing happens, DATABASE_DOWN. */
  lostRequestRate: number
  /** It happens, and nobody here hears of it: DATABASE_DOWN. */
  lostAnswerRate: number
  /** DATABASE_DOWN now, and it happens all the same at most `lateMs` later. */
  lateRate: number
  lateMs: number
}

export interface Mutations {
  /** Commits do not look at the epoch (I1 is broken). */
  noEpochLock: boolean
  /** The outbox row is not written with the step (I3 is broken). */
  noOutbox: boolean
}

export class MemoryDatabase {
  readonly mutations: Mutations = { noEpochLock: false, noOutbox: false }
  readonly faults: DatabaseFaults = { lostRequestRate: 0, lostAnswerRate: 0, lateRate: 0, lateMs: 0 }
  readonly kinds = new Map<string, number>()
  readonly epochs = new Map<string, { epoch: number; holder: string }>()
  readonly states = new Map<string, StoredState>()
  readonly processed = new Map<string, { receipt: Uint8Array | null; at: number; epoch: number }>()
  readonly outbox = new Map<string, OutboxRow & { relayedAt: number | null }>()
  readonly timers = new Map<string, TimerRow & { kind: string; partition: number }>()
  readonly runs = new Map<string, RunRow>()
  readonly attempts = new Map<string, { count: number; history: AttemptError[] }>()
  readonly letters = new Map<string, DeadLetter>()
  readonly effects = new Map<string, EffectRow & { tenant: string }>()
  readonly openings: { tenant: string; scope: string; who: string; epoch: number; sequence: number | null }[] = []
  readonly marks = new Map<string, LogMark>()
  readonly places = new Map<string, LogPlace | null>()
  /** What handlers wrote by SQL: `query('put', [key, value])`, `query('get', [key])`. */
  readonly rows = new Map<string, unknown>()
  /** Every commit that was applied and every epoch that was minted, in order. For the simulator's checks. */
  readonly commits: {
    node: string
    tenant: string
    actor: string
    partition: string
    epoch: number
    command: string | null
  }[] = []
  readonly claims: { partition: string; epoch: number; holder: string; commits: number }[] = []
  readonly clock: Clock
  readonly #latency: () => number
  readonly #random: () => number
  readonly #gates = new Map<string, Gate>()
  /** Open transactions of each partition: a claim waits for them, as for a shared lock. */
  readonly #shared = new Map<string, number>()
  #waiters: (() => void)[] = []

  constructor(options: MemoryDatabaseOptions) {
    this.clock = options.clock
    this.#latency = options.latencyMs ?? (() => 0)
    this.#random = options.random ?? (() => 1)
  }

  connect(node: string): Store {
    return new MemoryStore(this, node)
  }

  /** Holds every call of a node back, in both directions, until `resume`. */
  pause(node: string): void {
    this.#gate(node).paused = true
  }
  resume(node: string): void {
    const gate = this.#gate(node)
    gate.paused = false
    for (const go of gate.queue.splice(0)) go()
  }
  /** From now on every call of the node fails with DATABASE_DOWN; those under way may have happened. */
  cut(node: string): void {
    this.#gate(node).cut = true
  }
  heal(node: string): void {
    this.#gate(node).cut = false
  }
  /** Calls of a dead node never come back, its open transactions are rolled back. */
  kill(node: string): void {
    const gate = this.#gate(node)
    gate.dead = true
    for (const rollback of gate.open) rollback()
  }
  revive(node: string): void {
    this.#gates.delete(node)
  }

  /** One way between a node and here. */
  async trip(node: string): Promise<void> {
    const gate = this.#gate(node)
    const ms = this.#latency()
    if (ms > 0) await new Promise<void>((resolve) => void this.clock.setTimeout(resolve, ms))
    if (gate.paused) await new Promise<void>((resolve) => gate.queue.push(resolve))
    if (gate.dead) await new Promise<never>(() => {})
    if (gate.cut) throw new WaggleError('DATABASE_DOWN')
  }

  async call<Value>(node: string, work: () => Value): Promise<Value> {
    await this.trip(node)
    const { lostRequestRate, lostAnswerRate, lateRate, lateMs } = this.faults
    const chance = lostRequestRate + lostAnswerRate + lateRate > 0 ? this.#random() : 1
    if (chance < lostRequestRate) await this.#down(node)
    if (chance < lostRequestRate + lateRate) {
      this.clock.setTimeout(() => {
        try {
          work()
        } catch {
          // It was refused, and nobody waits for that answer any more.
        }
      }, this.#random() * lateMs)
      await this.#down(node)
    }
    const value = work()
    await this.trip(node)
    if (chance < lostRequestRate + lateRate + lostAnswerRate) throw new WaggleError('DATABASE_DOWN')
    return value
  }

  /** The way back of an answer that may get lost. */
  async answer(node: string): Promise<void> {
    await this.trip(node)
    const { lostAnswerRate } = this.faults
    if (lostAnswerRate > 0 && this.#random() < lostAnswerRate) throw new WaggleError('DATABASE_DOWN')
  }

  async #down(node: string): Promise<never> {
    await this.trip(node)
    throw new WaggleError('DATABASE_DOWN')
  }

  lockShared(partition: string): () => void {
    this.#shared.set(partition, (this.#shared.get(partition) ?? 0) + 1)
    let open = true
    return () => {
      if (!open) return
      open = false
      this.#shared.set(partition, this.#shared.get(partition)! - 1)
      for (const wake of this.#waiters.splice(0)) wake()
    }
  }
  async lockExclusive(partition: string): Promise<void> {
    while ((this.#shared.get(partition) ?? 0) > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }
  opened(node: string, rollback: () => void): () => void {
    const { open } = this.#gate(node)
    open.add(rollback)
    return () => void open.delete(rollback)
  }

  checkEpoch(fence: Fence): void {
    const current = this.epochs.get(`${fence.kind}/${fence.partition}`)?.epoch ?? 0
    if (current !== fence.epoch && !this.mutations.noEpochLock)
      throw new WaggleError('STALE_EPOCH', { mine: fence.epoch, current })
  }

  apply(node: string, fence: Fence, steps: readonly Step[]): CommitResult {
    this.checkEpoch(fence)
    const { tenant, kind } = fence
    const id = (step: Step): string => `${tenant}/${kind}/${step.key}`
    const duplicates = steps
      .filter((step) => step.command !== null && this.processed.has(`${id(step)}#${step.command.id}`))
      .map((step) => step.command!.id)
    if (duplicates.length > 0) return { duplicates }
    for (const step of steps) this.#applyStep(node, fence, step, id(step))
    return { duplicates: [] }
  }

  #applyStep(node: string, fence: Fence, step: Step, id: string): void {
    const { tenant, kind, partition, epoch } = fence
    this.commits.push({
      node,
      tenant,
      actor: `${kind}/${step.key}`,
      partition: `${kind}/${partition}`,
      epoch,
      command: step.command?.id ?? null,
    })
    if (step.command !== null) {
      this.processed.set(`${id}#${step.command.id}`, { receipt: step.command.receipt, at: step.command.at, epoch })
    }
    if (step.clearAttempts !== null) this.attempts.delete(`${id}#${step.clearAttempts}`)
    const before = this.states.get(id)
    const state =
      step.state === null
        ? { version: before?.version ?? 0, value: before?.value ?? null }
        : { version: step.state.version, value: structuredClone(step.state.value) }
    this.states.set(id, { epoch: Math.max(epoch, before?.epoch ?? 0), ...state })
    if (step.outbox !== null && !this.mutations.noOutbox) {
      this.outbox.set(`${tenant}/${step.outbox.id}`, {
        tenant,
        id: step.outbox.id,
        kind,
        partition,
        key: step.key,
        epoch,
        entries: step.outbox.entries,
        relayedAt: null,
      })
    }
    for (const change of step.timers) {
      if (change.dueAt === null) this.timers.delete(`${id}/${change.name}`)
      else
        this.timers.set(`${id}/${change.name}`, {
          tenant,
          key: step.key,
          name: change.name,
          dueAt: change.dueAt,
          payload: change.payload,
          kind,
          partition,
        })
    }
    for (const change of step.runs) {
      if (change.change === 'start') {
        // A key names one piece of work for ever, as in the database.
        if (this.runs.has(`${tenant}/${change.run.kind}/${change.run.key}`)) continue
        this.runs.set(`${tenant}/${change.run.kind}/${change.run.key}`, {
          ...change.run,
          tenant,
          partition,
          state: 'running',
          attempt: 1,
          restarts: [],
          result: null,
          error: null,
        })
      } else {
        const row = this.runs.get(`${tenant}/${change.kind}/${change.key}`)
        const { state, attempt, restarts, result, error } = change
        if (row !== undefined)
          this.runs.set(`${tenant}/${change.kind}/${change.key}`, { ...row, state, attempt, restarts, result, error })
      }
    }
    for (const opening of step.openings) {
      const { scope, who, epoch } = opening
      const known = this.openings.some(
        (row) => row.tenant === tenant && row.scope === scope && row.who === who && row.epoch === epoch,
      )
      if (!known) this.openings.push({ tenant, ...opening, sequence: null })
    }
    if (step.deadLetter !== null) this.letters.set(`${tenant}/${step.deadLetter.id}`, step.deadLetter)
  }

  #gate(node: string): Gate {
    let gate = this.#gates.get(node)
    if (gate === undefined) {
      gate = { paused: false, cut: false, dead: false, queue: [], open: new Set() }
      this.#gates.set(node, gate)
    }
    return gate
  }
}

interface Gate {
  paused: boolean
  cut: boolean
  dead: boolean
  readonly queue: (() => void)[]
  readonly open: Set<() => void>
}

class MemoryStore implements Store {
  readonly #db: MemoryDatabase
  readonly #node: string

  constructor(db: MemoryDatabase, node: string) {
    this.#db = db
    this.#node = node
  }

  declare(kinds: readonly { readonly kind: string; readonly partitions: number }[]): Promise<void> {
    return this.#call((db) => {
      for (const { kind, partitions } of kinds) {
        const known = db.kinds.get(kind)
        if (known !== undefined && known !== partitions)
          throw new WaggleError('PARTITIONS_DIFFER', { kind, known, partitions })
        db.kinds.set(kind, partitions)
      }
    })
  }

  async claim(kind: string, partition: number, holder: string): Promise<number> {
    await this.#db.trip(this.#node)
    await this.#db.lockExclusive(`${kind}/${partition}`)
    const epoch = (this.#db.epochs.get(`${kind}/${partition}`)?.epoch ?? 0) + 1
    this.#db.epochs.set(`${kind}/${partition}`, { epoch, holder })
    this.#db.claims.push({ partition: `${kind}/${partition}`, epoch, holder, commits: this.#db.commits.length })
    await this.#db.trip(this.#node)
    return epoch
  }

  holders(): ReturnType<Store['holders']> {
    return this.#call((db) =>
      [...db.epochs].map(([name, { epoch, holder }]) => {
        const [kind = '', partition = '0'] = name.split('/')
        return { kind, partition: Number(partition), epoch, holder }
      }),
    )
  }

  load(tenant: string, kind: string, key: string): Promise<StoredState | null> {
    return this.#call((db) => structuredClone(db.states.get(`${tenant}/${kind}/${key}`) ?? null))
  }

  commit(fence: Fence, steps: readonly Step[]): Promise<CommitResult> {
    return this.#call((db) => db.apply(this.#node, fence, steps))
  }

  async begin(fence: Fence): Promise<StoreTransaction> {
    await this.#db.trip(this.#node)
    this.#db.checkEpoch(fence)
    const transaction = new MemoryTransaction(this.#db, this.#node, fence)
    await this.#db.trip(this.#node)
    return transaction
  }

  processed(
    tenant: string,
    kind: string,
    key: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Uint8Array | null>> {
    return this.#call((db) => {
      const found = new Map<string, Uint8Array | null>()
      for (const id of ids) {
        const row = db.processed.get(`${tenant}/${kind}/${key}#${id}`)
        if (row !== undefined) found.set(id, row.receipt)
      }
      return found
    })
  }

  unsent(kind: string, partition: number): Promise<readonly OutboxRow[]> {
    return this.#call((db) =>
      [...db.outbox.values()].filter(
        (row) => row.kind === kind && row.partition === partition && row.relayedAt === null,
      ),
    )
  }

  relayed(rows: readonly RelayedRow[]): Promise<readonly RelayedRow[]> {
    return this.#call((db) => {
      const moved = rows.filter(({ tenant, log }) => {
        const place = db.places.get(tenant)
        return place !== undefined && place?.stream !== log
      })
      for (const given of rows) {
        const row = db.outbox.get(`${given.tenant}/${given.id}`)
        if (row !== undefined && !moved.includes(given)) row.relayedAt ??= db.clock.now()
      }
      return moved
    })
  }

  timers(kind: string, partition: number, dueBefore: number): Promise<readonly TimerRow[]> {
    return this.#call((db) =>
      [...db.timers.values()].filter(
        (row) => row.kind === kind && row.partition === partition && row.dueAt <= dueBefore,
      ),
    )
  }

  unfinishedRuns(kind: string, partition: number): Promise<readonly RunRow[]> {
    return this.#call((db) =>
      [...db.runs.values()].filter(
        (row) =>
          row.parentKind === kind &&
          row.partition === partition &&
          (row.state === 'running' || row.state === 'waiting'),
      ),
    )
  }

  run(tenant: string, kind: string, key: string): Promise<RunRow | null> {
    return this.#call((db) => db.runs.get(`${tenant}/${kind}/${key}`) ?? null)
  }

  attempt(fence: Fence, key: string, command: string, error: AttemptError | null): Promise<number> {
    return this.#call((db) => {
      db.checkEpoch(fence)
      const id = `${fence.tenant}/${fence.kind}/${key}#${command}`
      const row = db.attempts.get(id) ?? { count: 0, history: [] }
      row.count++
      if (error !== null) row.history.push(error)
      db.attempts.set(id, row)
      return row.count
    })
  }

  bury(letter: DeadLetter): Promise<void> {
    return this.#call((db) => void db.letters.set(`${letter.tenant}/${letter.id}`, letter))
  }

  intend(fence: Fence, effect: EffectIntent): Promise<EffectRow> {
    return this.#call((db) => {
      db.checkEpoch(fence)
      const id = `${fence.tenant}/${effect.id}`
      const row = db.effects.get(id)
      if (row !== undefined && (row.argsHash !== effect.argsHash || row.tool !== effect.tool))
        throw new WaggleError('ID_REUSED', { effect: effect.id })
      if (row !== undefined) return { ...row, fresh: false }
      const fresh = { ...effect, tenant: fence.tenant, status: 'intended', result: null, fresh: true } as const
      db.effects.set(id, fresh)
      return fresh
    })
  }

  settle(fence: Fence, id: string, outcome: EffectOutcome): Promise<void> {
    return this.#call((db) => {
      db.checkEpoch(fence)
      const row = db.effects.get(`${fence.tenant}/${id}`)
      if (row !== undefined && EFFECT_STRENGTH[outcome.status] > EFFECT_STRENGTH[row.status])
        db.effects.set(`${fence.tenant}/${id}`, { ...row, ...outcome })
    })
  }

  intendedBy(tenant: string, run: string): Promise<readonly string[]> {
    return this.#call(({ effects }) => {
      const mine = (row: EffectRow & { tenant: string }): boolean => row.tenant === tenant && row.run === run
      return [...effects.values()].flatMap((row) => (mine(row) && row.status === 'intended' ? [row.id] : []))
    })
  }

  opened(opening: Parameters<Store['opened']>[0]): Promise<void> {
    return this.#call((db) => {
      const row = db.openings.find(
        (row) =>
          row.tenant === opening.tenant &&
          row.scope === opening.scope &&
          row.who === opening.who &&
          row.epoch === opening.epoch,
      )
      const place = db.places.get(opening.tenant)
      if (place !== undefined && place?.stream !== opening.log) return
      if (row !== undefined) row.sequence ??= opening.sequence
    })
  }

  floors(tenant: string, scope: string, sequence: number): ReturnType<Store['floors']> {
    return this.#call((db) => {
      const rows = db.openings.filter((row) => row.tenant === tenant && row.scope === scope)
      const floors = new Map<string, number>()
      for (const row of rows)
        if (row.sequence !== null && row.sequence <= sequence)
          floors.set(row.who, Math.max(floors.get(row.who) ?? 0, row.epoch))
      return {
        floors: [...floors].map(([who, epoch]) => ({ who, epoch })),
        pending: rows.some((row) => row.sequence === null),
      }
    })
  }

  logPlaces(): Promise<readonly LogPlaceRow[]> {
    return this.#call((db) => [...db.places].map(([tenant, place]) => ({ tenant, place })))
  }
  askForLog(tenant: string): Promise<void> {
    return this.#call((db) => void (db.places.has(tenant) || db.places.set(tenant, null)))
  }
  placeLog(place: LogPlace): Promise<boolean> {
    return this.#call((db) => {
      if (db.places.get(place.tenant) !== null) return false
      db.places.set(place.tenant, place)
      return true
    })
  }
  logMark(stream: string): Promise<LogMark | null> {
    return this.#call((db) => db.marks.get(stream) ?? null)
  }
  saveLogMark(stream: string, mark: LogMark): Promise<void> {
    return this.#call((db) => void db.marks.set(stream, mark))
  }
  relayedSince(at: number): Promise<readonly OutboxRow[]> {
    return this.#call((db) => [...db.outbox.values()].filter((row) => row.relayedAt !== null && row.relayedAt >= at))
  }

  sweep(before: { readonly processed: number; readonly relayed: number }): Promise<number> {
    return this.#call((db) => {
      let rows = 0
      for (const [id, row] of db.processed) if (row.at < before.processed && db.processed.delete(id)) rows++
      for (const [id, row] of db.outbox)
        if (row.relayedAt !== null && row.relayedAt < before.relayed && db.outbox.delete(id)) rows++
      return rows
    })
  }

  /** Of what a tenant may set terms for, only what this store has. */
  retire(now: number, terms: Terms): Promise<Retired> {
    return this.#call((db) => {
      let undecidedLetters = 0
      let runs = 0
      for (const [id, { at }] of db.letters)
        if (at < now - terms.undecidedLettersMs && db.letters.delete(id)) undecidedLetters++
      for (const [id, row] of db.runs) {
        const over = row.state !== 'running' && row.state !== 'waiting'
        if (over && row.deadline < now - terms.runsMs && db.runs.delete(id)) runs++
      }
      return { letters: 0, undecidedLetters, runs, checkpoints: 0, audit: 0, messages: 0 }
    })
  }

  #call<Value>(work: (db: MemoryDatabase) => Value): Promise<Value> {
    return this.#db.call(this.#node, () => work(this.#db))
  }
}
