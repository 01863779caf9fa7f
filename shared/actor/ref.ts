import type { Duration } from '#shared/lib/duration.ts'
import type { Address, Principal } from '#shared/wire/envelope.ts'
import type { Contract, Messages, PoolContract } from './contract.ts'
import type { Schema } from './schema.ts'

/** Names of the messages of one verb. */
export type NamesOf<M extends Messages, Verb extends 'tell' | 'ask' | 'stream'> = {
  [Name in keyof M]: M[Name]['verb'] extends Verb ? Name : never
}[keyof M] &
  string

export type InputOf<Spec> = Spec extends { input: Schema<infer In> } ? In : never
export type OutputOf<Spec> = Spec extends { output: Schema<infer Out> }
  ? Out
  : Spec extends { item: Schema<infer Item> }
    ? Item
    : never

export interface TellOptions {
  /** The command's id: the same id again is the same command (harmless). Default: a new one. */
  readonly id?: string
}

export interface AskOptions {
  /** Overrides the contract's deadline; never beyond the one this work has already (I8). */
  readonly within?: Duration
  /** Cancels: the callee is told, and what it reports is in the error's details. */
  readonly signal?: AbortSignal
}

/** The address of a virtual actor. Naming starts nothing: it wakes on its first message. */
export interface Ref<M extends Messages = Messages> {
  readonly address: Address
  /** Durable; resolves when the broker has stored it. MAILBOX_FULL, TENANT_BUSY, OVERLOADED, TOO_LARGE, BROKER_DOWN. */
  tell<Name extends NamesOf<M, 'tell'>>(name: Name, input: InputOf<M[Name]>, options?: TellOptions): Promise<void>
  /**
   * A tell whose receipt is awaited: what its handler returned, said after its transaction (I12), or its refusal.
   * DEADLINE: not confirmed in time; it is stored and may still be handled: send the same id again.
   */
  confirm<Name extends NamesOf<M, 'tell'>>(
    name: Name,
    input: InputOf<M[Name]>,
    options?: TellOptions & AskOptions,
  ): Promise<unknown>
  ask<Name extends NamesOf<M, 'ask'>>(
    name: Name,
    input: InputOf<M[Name]>,
    options?: AskOptions,
  ): Promise<OutputOf<M[Name]>>
  stream<Name extends NamesOf<M, 'stream'>>(
    name: Name,
    input: InputOf<M[Name]>,
    options?: AskOptions,
  ): AsyncIterable<OutputOf<M[Name]>>
  /** Proof that it answers, through its mailbox: its state, mailbox depth, epoch and node. */
  probe(options?: AskOptions): Promise<Presence>
}

/** Any replica of a pool. */
export interface PoolRef<M extends Messages = Messages> {
  ask<Name extends NamesOf<M, 'ask'>>(
    name: Name,
    input: InputOf<M[Name]>,
    options?: AskOptions,
  ): Promise<OutputOf<M[Name]>>
  stream<Name extends NamesOf<M, 'stream'>>(
    name: Name,
    input: InputOf<M[Name]>,
    options?: AskOptions,
  ): AsyncIterable<OutputOf<M[Name]>>
}

export interface Presence {
  readonly node: string
  readonly epoch: number
  readonly mailbox: number
  readonly children: readonly string[]
}

/** Who can be reached on behalf of a proved principal: a ref into another tenant cannot be written (I9). */
export interface Reach {
  readonly principal: Principal
  ref<Kind extends string, M extends Messages>(contract: Contract<Kind, M>, key: string | readonly string[]): Ref<M>
  pool<Kind extends string, M extends Messages>(contract: PoolContract<Kind, M>, name: string): PoolRef<M>
}
