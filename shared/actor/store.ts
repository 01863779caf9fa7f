import type { LogPlace } from './event-log.ts'
import type { Terms } from './limits.ts'

/**
 * The store port: what the runtime needs of a database. Adapters: `testkit/memory-store.ts` (simulator, unit tests) and
 * `shared/db/runtime` (PostgreSQL, PGlite). The right to act lives here (I1): the epoch of a (kind, partition) is minted
 * by `claim` under an exclusive lock; every `commit` holds a shared lock on it and compares, in a statement *after* the
 * one that took the lock, so that a takeover waits for open commits and a stale one fails with STALE_EPOCH.
 *
 * All methods throw WaggleError only: STALE_EPOCH, DATABASE_DOWN (nothing is known of the outcome), or INTERNAL.
 */
export interface Store {
  /** Writes the partition counts of kinds, or compares them with those already there (PARTITIONS_DIFFER). */
  declare(kinds: readonly { readonly kind: string; readonly partitions: number }[]): Promise<void>
  /** Mints the next epoch (>= 1) of a partition for this holder; waits for commits under the old one. */
  claim(kind: string, partition: number, holder: string): Promise<number>
  holders(): Promise<readonly Holder[]>

  load(tenant: string, kind: string, key: string): Promise<StoredState | null>
  /** All steps in one transaction of one tenant and partition, or none. Duplicates: nothing was applied at all. */
  commit(fence: Fence, steps: readonly Step[]): Promise<CommitResult>
  /** A transaction for a handler that does SQL; fenced at once, tenant set, unprivileged role. */
  begin(fence: Fence): Promise<StoreTransaction>
  /** Which of these commands the actor has handled already, each with the receipt that was said then. */
  processed(
    tenant: string,
    kind: string,
    key: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Uint8Array | null>>

  /** What a new holder resumes before it consumes (I4). */
  unsent(kind: string, partition: number): Promise<readonly OutboxRow[]>
  /**
   * Marks them. Not those whose tenant's log is being moved, or is not the stream (`log`) that they went to: they are
   * returned, and have to be sent again.
   */
  relayed(rows: readonly RelayedRow[]): Promise<readonly RelayedRow[]>
  /** Those due first, the soonest first; may be cut off at 1,000 or more. */
  timers(kind: string, partition: number, dueBefore: number): Promise<readonly TimerRow[]>
  unfinishedRuns(kind: string, partition: number): Promise<readonly RunRow[]>
  run(tenant: string, kind: string, key: string): Promise<RunRow | null>

  /** Counts a started attempt of a command outside any other transaction, so that it survives the crash it may cause. */
  attempt(fence: Fence, key: string, command: string, error: AttemptError | null): Promise<number>
  bury(letter: DeadLetter): Promise<void>

  /** Writes `intended`, or returns the row that is there (fenced). */
  intend(fence: Fence, effect: EffectIntent): Promise<EffectRow>
  /** What is known only grows (`failed` < `unknown` < `done`): a weaker outcome that comes late changes nothing. */
  settle(fence: Fence, id: string, outcome: EffectOutcome): Promise<void>
  /** Ids of the effects of a run (its address) that stand as `intended`. */
  intendedBy(tenant: string, run: string): Promise<readonly string[]>

  /** Remembers where in the log an epoch was opened; see `Step.openings`. Not when it was said in another log than its tenant's. */
  opened(opening: {
    readonly tenant: string
    readonly scope: string
    readonly who: string
    readonly epoch: number
    readonly sequence: number
    readonly log: string
  }): Promise<void>
  /** Floors of a scope valid after `sequence`, and whether an opening is written whose place in the log is not yet known. */
  floors(
    tenant: string,
    scope: string,
    sequence: number,
  ): Promise<{
    readonly floors: readonly { readonly who: string; readonly epoch: number }[]
    readonly pending: boolean
  }>

  /** Tenants with a log of their own, and those that are to get one. */
  logPlaces(): Promise<readonly LogPlaceRow[]>
  /** Remembers that a tenant shall get a log of its own; harmless when it has one or soon will. */
  askForLog(tenant: string): Promise<void>
  /** Its log is there from now on; false when it was already. */
  placeLog(place: LogPlace): Promise<boolean>

  logMark(stream: string): Promise<LogMark | null>
  saveLogMark(stream: string, mark: LogMark): Promise<void>
  /** Outbox rows relayed at or after a time, oldest first: their facts are emitted again after the log lost its tail (I12). */
  relayedSince(at: number): Promise<readonly OutboxRow[]>

  /** Deletes processed ids and relayed rows past their retention; bounded work a call. Returns how many rows went. */
  sweep(before: { readonly processed: number; readonly relayed: number }): Promise<number>
  /** Lets go of what has outlived its term at `now`, by each tenant's settings, else by `terms`; bounded work a call. */
  retire(now: number, terms: Terms): Promise<Retired>
}

/** What every write is checked against. `partition` and `epoch` are those of the kind that governs the actor: its own, or its parent's. */
export interface Fence {
  readonly tenant: string
  readonly kind: string
  readonly partition: number
  readonly epoch: number
}

/** Which stream the events of an outbox row went to. */
export interface RelayedRow {
  readonly tenant: string
  readonly id: string
  readonly log: string
}

/** `place` is null while it is being moved. */
export interface LogPlaceRow {
  readonly tenant: string
  readonly place: LogPlace | null
}

export interface Holder {
  readonly kind: string
  readonly partition: number
  readonly epoch: number
  readonly holder: string
}

export interface StoredState {
  /** Epoch of the last activation that committed. */
  readonly epoch: number
  /** Version of the state's shape; 0 when the actor has committed but never kept state. */
  readonly version: number
  readonly value: unknown
}

/** Everything one handler execution leaves behind (I3). */
export interface Step {
  /** The actor, of the fence's kind. */
  readonly key: string
  /** What this step handles, by the id under which it is remembered as processed. */
  readonly command: { readonly id: string; readonly at: number; readonly receipt: Uint8Array | null } | null
  /** Null: unchanged. JSON-safe. */
  readonly state: { readonly version: number; readonly value: unknown } | null
  /** One row with every command, fact event and reply; opaque to the store. */
  readonly outbox: { readonly id: string; readonly entries: Uint8Array } | null
  readonly timers: readonly TimerChange[]
  readonly runs: readonly RunChange[]
  /** Epochs that entries of this outbox open in a scope's log; their place is filled in by `opened`. */
  readonly openings: readonly { readonly scope: string; readonly who: string; readonly epoch: number }[]
  readonly deadLetter: DeadLetter | null
  /** The command whose counted attempts are forgotten, or null. */
  readonly clearAttempts: string | null
}

export interface CommitResult {
  /** Ids of commands that had been processed before; when not empty, nothing was applied. */
  readonly duplicates: readonly string[]
}

/** Tenant-bound SQL inside a handler's transaction. Repositories in shared/db take this and nothing less. */
export interface TenantSql {
  readonly tenant: string
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

export interface StoreTransaction {
  readonly sql: TenantSql
  /** Statements sent and not yet answered: zero while the handler awaits something else, which is refused. */
  readonly pending: number
  /** Applies the step and commits; or rolls everything back when its command is a duplicate. */
  commit(step: Step): Promise<CommitResult>
  rollback(): Promise<void>
}

export interface OutboxRow {
  readonly tenant: string
  readonly id: string
  readonly kind: string
  readonly partition: number
  readonly key: string
  readonly epoch: number
  readonly entries: Uint8Array
}

export type TimerChange =
  | { readonly name: string; readonly dueAt: number; readonly payload: unknown }
  | { readonly name: string; readonly dueAt: null }

export interface TimerRow {
  readonly tenant: string
  readonly key: string
  readonly name: string
  readonly dueAt: number
  readonly payload: unknown
}

/** `waiting` is parked for a person or a back-off; the others end it. */
export const RunState = {
  running: 'running',
  waiting: 'waiting',
  done: 'done',
  failed: 'failed',
  stopped: 'stopped',
} as const
export type RunState = (typeof RunState)[keyof typeof RunState]

export type RunChange =
  | {
      readonly change: 'start'
      readonly run: Omit<RunRow, 'tenant' | 'partition' | 'state' | 'attempt' | 'restarts' | 'result' | 'error'>
    }
  | {
      readonly change: 'update'
      readonly kind: string
      readonly key: string
      readonly state: RunState
      readonly attempt: number
      /** Times of restarts within the supervision window, milliseconds. */
      readonly restarts: readonly number[]
      readonly result: unknown
      readonly error: unknown
    }

export interface RunRow {
  readonly tenant: string
  /** The child's own kind and key. */
  readonly kind: string
  readonly key: string
  /** The parent's kind, key and partition: what fences the child. */
  readonly parentKind: string
  readonly parentKey: string
  readonly partition: number
  readonly state: RunState
  readonly attempt: number
  readonly restarts: readonly number[]
  readonly deadline: number
  /** The envelope it was spawned under (encoded, payload = input): principal, chain, taint, trace, control. */
  readonly envelope: Uint8Array
  readonly result: unknown
  readonly error: unknown
}

export interface AttemptError {
  readonly code: string
  readonly message: string
  readonly at: number
}

/** Rows that have gone, by what they were. */
export interface Retired {
  readonly letters: number
  readonly undecidedLetters: number
  readonly runs: number
  readonly checkpoints: number
  readonly audit: number
  readonly messages: number
}

export interface DeadLetter {
  readonly id: string
  /** `-` when not even the tenant could be read. */
  readonly tenant: string
  readonly subject: string
  /** The bytes as they were received. */
  readonly payload: Uint8Array
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly history: readonly AttemptError[]
  readonly trace: string
  readonly at: number
}

export interface EffectIntent {
  /** Deterministic: run, step and call; the same call after a crash finds its row. */
  readonly id: string
  readonly run: string
  readonly tool: string
  /** Hash of the canonical arguments: another call under the same id is refused (ID_REUSED). */
  readonly argsHash: string
  /** May be repeated when in doubt: the tool is idempotent, or takes our key. */
  readonly repeatable: boolean
}

export interface EffectRow extends EffectIntent {
  readonly status: 'intended' | 'done' | 'failed' | 'unknown'
  readonly result: unknown
  /** True when this call wrote it; false when it was there before. */
  readonly fresh: boolean
}

export interface EffectOutcome {
  readonly status: 'done' | 'failed' | 'unknown'
  readonly result: unknown
}

export interface LogMark {
  readonly incarnation: string
  /** The stream's `created` time in milliseconds. */
  readonly created: number
  readonly sequence: number
  readonly at: number
}

/** What is known of an effect only grows: an outcome that comes late does not undo a stronger one. */
export const EFFECT_STRENGTH = { intended: 0, failed: 1, unknown: 2, done: 3 } as const
