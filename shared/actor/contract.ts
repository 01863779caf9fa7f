import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'
import { decodeName, encodeName } from '#shared/wire/names.ts'
import type { Schema } from './schema.ts'

/**
 * A contract says what may be said to a kind of actor, apart from how it behaves; it is all that services share. Three
 * visible verbs: `tell` (durable, no answer but a receipt), `ask` (one answer before a deadline), `stream` (numbered
 * answers, volatile). Three forms: `contract` for virtual actors (addressed by key, one activation each), `pool` for
 * stateless replicas, `spawned` for children that live with their parent and can be resumed from their row.
 */
export interface TellSpec<In> {
  readonly verb: 'tell'
  readonly input: Schema<In>
  /** The refusals its receipt may carry. */
  readonly fails: readonly ErrorCode[]
  /** Null: never expires. Otherwise it is a dead letter (EXPIRED) when handled later than this after it was sent. */
  readonly expiresMs: number | null
  /** New work: refused at the edge while its tenant has spent its share of the log (LOG_QUOTA). */
  readonly begins: boolean
}

export interface AskSpec<In, Out> {
  readonly verb: 'ask'
  readonly input: Schema<In>
  readonly output: Schema<Out>
  readonly withinMs: number
  readonly fails: readonly ErrorCode[]
}

export interface StreamSpec<In, Item> {
  readonly verb: 'stream'
  readonly input: Schema<In>
  readonly item: Schema<Item>
  /** The whole stream, first item to end. */
  readonly withinMs: number
  readonly fails: readonly ErrorCode[]
}

// oxlint-disable-next-line typescript/no-explicit-any -- the only way to say "whatever the schemas are" without losing inference
export type MessageSpec = TellSpec<any> | AskSpec<any, any> | StreamSpec<any, any>
export type Messages = Readonly<Record<string, MessageSpec>>

export interface Contract<Kind extends string = string, M extends Messages = Messages> {
  readonly form: 'virtual'
  readonly kind: Kind
  /** Grows when a message changes its shape; upcasters of the actor bring older payloads up. */
  readonly version: number
  readonly partitions: number
  readonly messages: M
}

export interface PoolContract<Kind extends string = string, M extends Messages = Messages> {
  readonly form: 'pool'
  readonly kind: Kind
  readonly version: number
  readonly messages: M
}

export interface SpawnedContract<Kind extends string = string, In = unknown, Out = unknown> {
  readonly form: 'spawned'
  readonly kind: Kind
  readonly version: number
  readonly input: Schema<In>
  readonly output: Schema<Out>
  readonly fails: readonly ErrorCode[]
  /** How long one may take, from its spawning on, restarts included. */
  readonly withinMs: number
}

export const DEFAULT_PARTITIONS = 4
export const DEFAULT_ASK_WITHIN_MS = 5_000
export const DEFAULT_STREAM_WITHIN_MS = 60_000
export const DEFAULT_SPAWNED_WITHIN_MS = 600_000

export function tell<In>(
  input: Schema<In>,
  options: { fails?: readonly ErrorCode[]; expires?: Duration; begins?: boolean } = {},
): TellSpec<In> {
  return {
    verb: 'tell',
    input,
    fails: options.fails ?? [],
    expiresMs: options.expires === undefined ? null : milliseconds(options.expires),
    begins: options.begins ?? false,
  }
}

export function ask<In, Out>(
  input: Schema<In>,
  output: Schema<Out>,
  options: { fails?: readonly ErrorCode[]; within?: Duration } = {},
): AskSpec<In, Out> {
  return {
    verb: 'ask',
    input,
    output,
    fails: options.fails ?? [],
    withinMs: milliseconds(options.within ?? DEFAULT_ASK_WITHIN_MS),
  }
}

export function stream<In, Item>(
  input: Schema<In>,
  item: Schema<Item>,
  options: { fails?: readonly ErrorCode[]; within?: Duration } = {},
): StreamSpec<In, Item> {
  return {
    verb: 'stream',
    input,
    item,
    fails: options.fails ?? [],
    withinMs: milliseconds(options.within ?? DEFAULT_STREAM_WITHIN_MS),
  }
}

export function contract<Kind extends string, M extends Messages>(
  kind: Kind,
  messages: M,
  options: { partitions?: number; version?: number } = {},
): Contract<Kind, M> {
  return {
    form: 'virtual',
    kind: checkKind(kind),
    version: options.version ?? 1,
    partitions: options.partitions ?? DEFAULT_PARTITIONS,
    messages: checkNames(messages),
  }
}

export function pool<Kind extends string, M extends Messages>(
  kind: Kind,
  messages: M,
  options: { version?: number } = {},
): PoolContract<Kind, M> {
  for (const [name, spec] of Object.entries(messages)) {
    if (spec.verb === 'tell')
      throw new WaggleError('CONFIG', {
        reason: `The pool ${kind} cannot be told ${name}: pools have no durable mailbox.`,
      })
  }
  return { form: 'pool', kind: checkKind(kind), version: options.version ?? 1, messages: checkNames(messages) }
}

export function spawned<Kind extends string, In, Out>(
  kind: Kind,
  input: Schema<In>,
  output: Schema<Out>,
  options: { fails?: readonly ErrorCode[]; within?: Duration; version?: number } = {},
): SpawnedContract<Kind, In, Out> {
  return {
    form: 'spawned',
    kind: checkKind(kind),
    version: options.version ?? 1,
    input,
    output,
    fails: options.fails ?? [],
    withinMs: milliseconds(options.within ?? DEFAULT_SPAWNED_WITHIN_MS),
  }
}

/** Messages of this prefix are the runtime's own (`$probe`, `$timer`, `$ended`, `$again`). */
export const RESERVED_PREFIX = '$'

function checkKind<Kind extends string>(kind: Kind): Kind {
  if (encodeName(decodeName(kind)) !== kind || kind.startsWith('x-'))
    throw new WaggleError('BAD_NAME', { reason: `Not a kind: ${kind}.` })
  return kind
}

function checkNames<M extends Messages>(messages: M): M {
  for (const name of Object.keys(messages)) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw new WaggleError('BAD_NAME', { reason: `Not a message name: ${name}.` })
  }
  return messages
}
