import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Address, Principal } from '#shared/wire/envelope.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import type { Contract, Messages, PoolContract, SpawnedContract } from './contract.ts'
import type { InputOf, NamesOf, OutputOf, Reach } from './ref.ts'
import type { EffectIntent, EffectRow, Fence, RunState, TenantSql } from './store.ts'
import { supervision } from './supervise.ts'
import type { Supervision, SupervisionOptions } from './supervise.ts'

/** What is known of the message being handled, or of the one that spawned a run. */
export interface Cause {
  readonly id: string
  readonly from: Address
  readonly principal: Principal | null
  readonly taint: readonly string[]
  readonly trace: string
  readonly control: number
  /** Absolute, milliseconds; 0 is none. */
  readonly deadline: number
  /** When it was first sent, milliseconds. */
  readonly at: number
  /** 1, and one more each time its dead letter is replayed. */
  readonly attempt: number
}

export interface EmitOptions {
  readonly audience: Audience
  /** Token of another scope; default: the first part of the actor's key. */
  readonly scope?: string
  /** Control epoch this is said under; default 0: does not need the voice. */
  readonly control?: number
  /** A deterministic id, when the same fact may be emitted again after a crash. */
  readonly id?: string
  /** Of a run: what is said whole later on. Not written while the tenant has spent its share of the log. */
  readonly volatile?: boolean
}

export interface TellFromHandler {
  readonly id?: string
  /** Begin a new hop path: for work that was queued by another message than this one. */
  readonly fresh?: boolean
  readonly taint?: readonly string[]
  readonly control?: number
  /** Speak on behalf of the principal of another message (one that waited in the state), never of another tenant. */
  readonly principal?: Principal | null
}

/**
 * What a handler of a virtual actor holds. Everything but `sql` is synchronous: nothing leaves before the transaction
 * has committed, and then all of it does (I3). Awaiting anything but SQL is refused (AWAIT_IN_TRANSACTION).
 */
export interface Context<State> {
  readonly tenant: string
  /** Decoded parts of the key. */
  readonly key: readonly string[]
  readonly address: Address
  readonly cause: Cause
  readonly now: number
  readonly log: Logger
  /** A draft; what stands here when the handler returns is kept, unless it throws. JSON-safe. */
  state: State
  newId(): string
  /** SQL of this tenant in the transaction that commits this handler. */
  sql(): Promise<TenantSql>
  tell<Kind extends string, M extends Messages, Name extends NamesOf<M, 'tell'>>(
    contract: Contract<Kind, M>,
    key: string | readonly string[],
    name: Name,
    input: InputOf<M[Name]>,
    options?: TellFromHandler,
  ): void
  /** A fact of the log, through the outbox. `control:changed` raises the control floor to its `control` (I7). */
  emit(type: string, payload: unknown, options: EmitOptions): void
  /** Fires `timers` of this actor once, at `at` (absolute) or a little later; replaces a reminder of the same name. */
  remind(name: string, at: number, payload?: unknown): void
  forget(name: string): void
  /** Begins a run after the commit. Its key names this one piece of work for ever: a run is not begun a second time. */
  spawn<Kind extends string, In, Out>(
    contract: SpawnedContract<Kind, In, Out>,
    key: readonly string[],
    input: In,
    options?: TellFromHandler & { within?: Duration },
  ): void
  /** Asks a child to stop; `ended` follows. Unknown children are ignored. */
  stop(contract: SpawnedContract, key: readonly string[], reason: string): void
  /** Lets a child know, after the commit, that its parent has something for it: `RunContext.nudges` grows. Volatile. */
  nudge(contract: SpawnedContract, key: readonly string[]): void
  /** Addresses of children that have not ended. */
  readonly children: readonly Address[]
}

export interface ChildEnd {
  readonly kind: string
  readonly key: readonly string[]
  readonly address: Address
  readonly state: Exclude<RunState, 'running' | 'waiting'>
  /** What it returned, when done (or when stopped in good order). */
  readonly result: unknown
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details: Readonly<Record<string, unknown>>
  } | null
  readonly escalated: boolean
}

/** A child that was given up, as its dead letter has it. */
export interface GivenUp {
  readonly kind: string
  readonly key: readonly string[]
  /** Not checked: somebody may have edited it. */
  readonly input: unknown
}

export interface BuriedCommand {
  readonly type: string
  /** Not checked. */
  readonly payload: unknown
  readonly error: WaggleError
}

export type Handlers<M extends Messages, State> = {
  readonly [Name in keyof M]: M[Name] extends { verb: 'tell' }
    ? (ctx: Context<State>, input: InputOf<M[Name]>) => unknown
    : M[Name] extends { verb: 'ask' }
      ? (ctx: Context<State>, input: InputOf<M[Name]>) => OutputOf<M[Name]> | Promise<OutputOf<M[Name]>>
      : (ctx: Context<State>, input: InputOf<M[Name]>) => Iterable<OutputOf<M[Name]>>
}

export interface ActorOptions<M extends Messages, State> {
  readonly state: {
    readonly version: number
    readonly initial: () => State
    readonly upgrade?: (value: unknown, version: number) => State
  }
  readonly sleepAfter?: Duration
  /** At least once, no transaction, no processed ids, no state kept: idempotent by contract. */
  readonly stateless?: boolean
  readonly children?: SupervisionOptions
  readonly on: Handlers<M, State>
  readonly ended?: (ctx: Context<State>, child: ChildEnd) => unknown
  readonly timers?: Readonly<Record<string, (ctx: Context<State>, payload: unknown) => unknown>>
  /** A child that was given up is to be tried again: its dead letter was replayed, perhaps with another input. */
  readonly again?: (ctx: Context<State>, child: GivenUp) => unknown
  /**
   * A command is put aside as a dead letter, in the step that does so: whoever waits for what it asked for is told. Its payload
   * may be what could not be handled, and the state what could not be read.
   */
  readonly buried?: (ctx: Omit<Context<State>, 'state'>, command: BuriedCommand) => void
  /** Brings the payload of an older contract version up, before the schema looks at it. */
  readonly upcast?: Readonly<Record<string, (payload: unknown, version: number) => unknown>>
}

export interface ActorDefinition {
  readonly contract: Contract
  readonly options: ActorOptions<Messages, unknown>
  readonly sleepAfterMs: number
  readonly supervision: Supervision
}

export const DEFAULT_SLEEP_AFTER_MS = 600_000

/** A virtual actor. See STYLE and DESIGN.md here for how one reads. */
export function actor<Kind extends string, M extends Messages, State>(
  contract: Contract<Kind, M>,
  options: ActorOptions<M, State>,
): ActorDefinition {
  return {
    contract,
    options: options as unknown as ActorOptions<Messages, unknown>,
    sleepAfterMs: milliseconds(options.sleepAfter ?? DEFAULT_SLEEP_AFTER_MS),
    supervision: supervision(options.children),
  }
}

export interface PoolContext {
  readonly tenant: string
  readonly name: readonly string[]
  readonly cause: Cause
  readonly signal: AbortSignal
  readonly reach: Reach
  readonly log: Logger
}

export type PoolHandlers<M extends Messages> = {
  readonly [Name in keyof M]: M[Name] extends { verb: 'ask' }
    ? (ctx: PoolContext, input: InputOf<M[Name]>) => OutputOf<M[Name]> | Promise<OutputOf<M[Name]>>
    : (ctx: PoolContext, input: InputOf<M[Name]>) => AsyncIterable<OutputOf<M[Name]>>
}

export interface PoolDefinition {
  readonly contract: PoolContract
  readonly on: PoolHandlers<Messages>
  /** Handlers at work at the same time in one replica. */
  readonly concurrency: number
  /** Requests waiting for one; beyond it: OVERLOADED. */
  readonly queue: number
}

export const DEFAULT_POOL_CONCURRENCY = 64
export const DEFAULT_POOL_QUEUE = 1_024

/** Stateless replicas behind a queue group. */
export function poolActor<Kind extends string, M extends Messages>(
  contract: PoolContract<Kind, M>,
  options: { on: PoolHandlers<M>; concurrency?: number; queue?: number },
): PoolDefinition {
  return {
    contract,
    on: options.on as unknown as PoolHandlers<Messages>,
    concurrency: options.concurrency ?? DEFAULT_POOL_CONCURRENCY,
    queue: options.queue ?? DEFAULT_POOL_QUEUE,
  }
}

/**
 * What a spawned child holds. It may wait for anything; it acts through its parent's epoch (I1) and is resumed from its
 * row by whoever holds the partition next (I4), so everything it does is either repeatable or in the ledger (I3).
 */
export interface RunContext {
  readonly tenant: string
  readonly key: readonly string[]
  readonly address: Address
  readonly parent: Address
  readonly cause: Cause
  /** 1 the first time; more after a crash or a restart by its parent. */
  readonly attempt: number
  /** True when it ran before, here or elsewhere: look for a checkpoint. */
  readonly resumed: boolean
  /**
   * How often its parent has nudged it here: as long as it does not grow, the parent has nothing new for it and need not be
   * asked. A resumed run knows nothing of earlier nudges and asks once.
   */
  readonly nudges: number
  readonly fence: Fence
  readonly signal: AbortSignal
  readonly reach: Reach
  readonly log: Logger
  newId(): string
  now(): number
  /** An entry of the log, at once and in order, without a transaction: a delta, or a step that a resumed run says again. */
  emit(type: string, payload: unknown, options: EmitOptions): void
  /** From here on everything this run asks for says that untrusted text of this source is in the turn (I14). */
  taint(source: string): void
  /** Everything emitted has been stored by the broker; false when some of it could not be: say it again. */
  flushed(): Promise<boolean>
  /**
   * Resolves when every fact (what is not volatile) emitted so far is stored. Throws LEAVING once this attempt is no longer
   * heard, BROKER_DOWN after the broker did not take a fact, and what it says of one that it never takes (TOO_LARGE): what
   * rests on its words, a checkpoint or an end, may not be written then.
   */
  factsStored(): Promise<void>
  /** SQL in a fenced transaction of its own. */
  sql<Value>(work: (sql: TenantSql) => Promise<Value>): Promise<Value>
  /** An outside effect by the ledger: done once, or reported as unknown (I3). */
  effect<Value>(intent: Omit<EffectIntent, 'run'>, work: () => Promise<Value>): Promise<EffectResult<Value>>
}

export type EffectResult<Value> =
  | { readonly status: 'done'; readonly value: Value; readonly repeated: boolean }
  | {
      readonly status: 'failed'
      readonly error: { readonly code: string; readonly message: string; readonly details?: unknown }
    }
  /** In doubt and not repeatable: it may or may not have happened. */
  | { readonly status: 'unknown'; readonly row: EffectRow }

export interface RunDefinition {
  readonly contract: SpawnedContract
  readonly start: (ctx: RunContext, input: unknown) => Promise<unknown>
}

/** A spawned child: `start` is called again, with `resumed`, whenever it has to go on elsewhere. */
export function runActor<Kind extends string, In, Out>(
  contract: SpawnedContract<Kind, In, Out>,
  start: (ctx: RunContext, input: In) => Promise<Out>,
): RunDefinition {
  return {
    contract: contract as unknown as SpawnedContract,
    start: start as (ctx: RunContext, input: unknown) => Promise<unknown>,
  }
}

export type Definition = ActorDefinition | PoolDefinition | RunDefinition
