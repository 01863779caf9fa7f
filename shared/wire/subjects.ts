import { WaggleError } from '#shared/errors/waggle-error.ts'
import { decodeKey, decodeName, keyHead } from './names.ts'

/**
 * The subject grammar: one builder and one parser for each line, `parseSubject(build(x))` equals x (property-tested).
 * All fields are *tokens* (see names.ts), already encoded: the tenant is always the second token of `t.…`, so that
 * broker permissions can be written as one wildcard (I9). Who said something is in the envelope, not in the subject.
 *
 * ```
 * t.<tenant>.cmd.<partition>.<kind>.<key>    durable command to one actor          stream CMD, work queue, discard new
 * t.<tenant>.call.<partition>.<kind>.<key>   ask/stream to one actor               core NATS, answered by its holder
 * t.<tenant>.ask.<kind>.<name>               request to any replica of a pool      core NATS, queue group
 * t.<tenant>.ev.<scope>.<aud>                events of a conversation or task      stream EVT
 * live.t.<tenant>.ev.<scope>.<aud>           the same, republished with its numbers
 * t.<tenant>.own.<scope>.<aud>               the same where the tenant has a log of its own   stream EVT-<tenant>
 * live.t.<tenant>.own.<scope>.<aud>          and republished
 * t.<tenant>.sig.<kind>.<key>                volatile: cancel, typing, presence    core NATS
 * t.<tenant>.in.<channel>.<thread>           what a bridge publishes               stream IN, work queue
 * t.<tenant>.out.<channel>.<thread>          what a bridge must deliver            stream OUT, work queue
 * ```
 */
export type Subject =
  | {
      readonly lane: 'cmd' | 'call'
      readonly tenant: string
      readonly partition: number
      readonly kind: string
      readonly key: string
    }
  | { readonly lane: 'ask'; readonly tenant: string; readonly kind: string; readonly name: string }
  | {
      readonly lane: 'ev' | 'own' | 'live' | 'live own'
      readonly tenant: string
      readonly scope: string
      readonly audience: Audience
    }
  | { readonly lane: 'sig'; readonly tenant: string; readonly kind: string; readonly key: string }
  | { readonly lane: 'in' | 'out'; readonly tenant: string; readonly channel: string; readonly thread: string }

/** Who may hear an event (I6): a customer `pub`, an operator of the tenant `ops`, the platform `sys`. */
export const Audience = { pub: 'pub', ops: 'ops', sys: 'sys' } as const
export type Audience = (typeof Audience)[keyof typeof Audience]

export const MAX_PARTITIONS = 1024
export const MAX_SUBJECT_CHARS = 255

export function commandSubject(tenant: string, partition: number, kind: string, key: string): string {
  return checked(`t.${tenant}.cmd.${checkedPartition(partition)}.${kind}.${key}`, SIX_TOKENS)
}
export function callSubject(tenant: string, partition: number, kind: string, key: string): string {
  return checked(`t.${tenant}.call.${checkedPartition(partition)}.${kind}.${key}`, SIX_TOKENS)
}
export function askSubject(tenant: string, kind: string, name: string): string {
  return checked(`t.${tenant}.ask.${kind}.${name}`, FIVE_TOKENS)
}
export function eventSubject(tenant: string, scope: string, audience: Audience): string {
  return checked(`t.${tenant}.ev.${scope}.${audience}`, FIVE_TOKENS)
}
export function liveSubject(tenant: string, scope: string, audience: Audience): string {
  return checked(`live.t.${tenant}.ev.${scope}.${audience}`, SIX_TOKENS)
}
export function ownSubject(tenant: string, scope: string, audience: Audience): string {
  return checked(`t.${tenant}.own.${scope}.${audience}`, FIVE_TOKENS)
}
export function liveOwnSubject(tenant: string, scope: string, audience: Audience): string {
  return checked(`live.t.${tenant}.own.${scope}.${audience}`, SIX_TOKENS)
}
export function signalSubject(tenant: string, kind: string, key: string): string {
  return checked(`t.${tenant}.sig.${kind}.${key}`, FIVE_TOKENS)
}
export function inSubject(tenant: string, channel: string, thread: string): string {
  return checked(`t.${tenant}.in.${channel}.${thread}`, FIVE_TOKENS)
}
export function outSubject(tenant: string, channel: string, thread: string): string {
  return checked(`t.${tenant}.out.${channel}.${thread}`, FIVE_TOKENS)
}

/** What a holder or a pool listens to: every tenant, one partition or kind. `ANY` is the single-token wildcard. */
export const ANY = '*'
export const filters = {
  commands: (partition: number, kind: string): string => `t.*.cmd.${partition}.${kind}.*`,
  calls: (partition: number, kind: string): string => `t.*.call.${partition}.${kind}.*`,
  asks: (kind: string): string => `t.*.ask.${kind}.*`,
  signals: (kind: string): string => `t.*.sig.${kind}.*`,
  commandsOfTenant: (tenant: string): string => `t.${checkedToken(tenant)}.cmd.>`,
  eventsOfScope: (tenant: string, scope: string): string => `t.${checkedToken(tenant)}.ev.${checkedToken(scope)}.*`,
  eventsOfTenant: (tenant: string): string => `t.${checkedToken(tenant)}.ev.>`,
  ownOfTenant: (tenant: string): string => `t.${checkedToken(tenant)}.own.>`,
  /** Of whichever log. */
  liveOfTenant: (tenant: string): string => `live.t.${checkedToken(tenant)}.*.*.*`,
} as const

/** Throws BAD_SUBJECT on anything that no builder here could have made. */
export function parseSubject(subject: string): Subject {
  if (subject.length > MAX_SUBJECT_CHARS) throw bad(subject)
  const live = subject.startsWith('live.')
  const tokens = (live ? subject.slice(5) : subject).split('.')
  const [root, tenant, lane] = tokens
  if (root !== 't' || tenant === undefined || lane === undefined || (live && lane !== 'ev' && lane !== 'own'))
    throw bad(subject)
  try {
    decodeName(tenant)
    switch (lane) {
      case 'cmd':
      case 'call': {
        const [, , , partition, kind, key] = expectLength(tokens, 6, subject)
        decodeName(kind!)
        decodeKey(key!)
        return { lane, tenant, partition: parsePartition(partition!, subject), kind: kind!, key: key! }
      }
      case 'ask': {
        const [, , , kind, name] = expectLength(tokens, 5, subject)
        decodeName(kind!)
        decodeKey(name!)
        return { lane, tenant, kind: kind!, name: name! }
      }
      case 'ev':
      case 'own': {
        const [, , , scope, audience] = expectLength(tokens, 5, subject)
        decodeKey(scope!)
        if (audience !== 'pub' && audience !== 'ops' && audience !== 'sys') throw bad(subject)
        const republished = lane === 'ev' ? 'live' : 'live own'
        return { lane: live ? republished : lane, tenant, scope: scope!, audience }
      }
      case 'sig': {
        const [, , , kind, key] = expectLength(tokens, 5, subject)
        decodeName(kind!)
        decodeKey(key!)
        return { lane, tenant, kind: kind!, key: key! }
      }
      case 'in':
      case 'out': {
        const [, , , channel, thread] = expectLength(tokens, 5, subject)
        decodeName(channel!)
        decodeKey(thread!)
        return { lane, tenant, channel: channel!, thread: thread! }
      }
      default:
        throw bad(subject)
    }
  } catch (error) {
    throw error instanceof WaggleError && error.code === 'BAD_SUBJECT' ? error : bad(subject, error)
  }
}

/**
 * The partition of an actor: FNV-1a over tenant, kind and the first part of the key, finished with murmur3's avalanche
 * so that ids differing in their last character spread. Frozen: a change would move every actor.
 */
export function partitionOf(tenant: string, kind: string, key: string, partitions: number): number {
  const text = `${tenant}/${kind}/${keyHead(key)}`
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions
}

function parsePartition(token: string, subject: string): number {
  const partition = Number(token)
  if (!/^(?:0|[1-9]\d{0,3})$/.test(token) || partition >= MAX_PARTITIONS) throw bad(subject)
  return partition
}

function expectLength(tokens: string[], length: number, subject: string): string[] {
  if (tokens.length !== length) throw bad(subject)
  return tokens
}

/**
 * Builders take tokens, but a dot or a wildcard that slipped into one would change the lane or the tenant: the shape of
 * the whole is checked (the exact form of each token is the parser's affair).
 */
const FIVE_TOKENS = /^[a-z0-9-]+(?:\.[a-z0-9-]+){4}$/
const SIX_TOKENS = /^[a-z0-9-]+(?:\.[a-z0-9-]+){5}$/
const ONE_TOKEN = /^[a-z0-9-]+$/

function checked(subject: string, shape: RegExp): string {
  if (subject.length > MAX_SUBJECT_CHARS || !shape.test(subject)) throw bad(subject)
  return subject
}

function checkedToken(token: string): string {
  if (!ONE_TOKEN.test(token)) throw bad(token)
  return token
}

function checkedPartition(partition: number): number {
  if (!Number.isInteger(partition) || partition < 0 || partition >= MAX_PARTITIONS) throw bad(String(partition))
  return partition
}

function bad(subject: string, cause?: unknown): WaggleError {
  return new WaggleError('BAD_SUBJECT', { subject: subject.slice(0, 300) }, { cause })
}
