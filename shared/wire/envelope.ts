import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { pack, unpack } from './codec.ts'

export const WIRE_VERSION = 1
/** More hops than this is a loop (TOO_MANY_HOPS). */
export const MAX_HOPS = 16
/** Larger payloads travel by reference to the object store; checked before publishing (TOO_LARGE). */
export const MAX_PAYLOAD_BYTES = 768 * 1024

/** The proved identity on whose behalf something is done (I9). Never read from a body. */
export interface Principal {
  readonly tenant: string
  readonly user: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** The user's own token, sealed (shared/lib/seal.ts), for injection into first-party tools (I14); empty when there is none. */
  readonly credential: string
}

/** `kind/key` of an actor, both as tokens; `client/<user>` outside the swarm. */
export type Address = `${string}/${string}`

/** What travels from one actor to another, as a command or a call. */
export interface Envelope {
  /** Deterministic for commands out of a handler, so that a second relay is the same message. */
  readonly id: string
  /** The message name in the contract of the addressee. */
  readonly type: string
  /** The contract version of the sender; upcasters bring older ones up. */
  readonly version: number
  readonly tenant: string
  readonly from: Address
  /** The hop path: everyone who waits for this answer, oldest first. */
  readonly chain: readonly Address[]
  /** Absolute, milliseconds since 1970; 0 is none (I8). */
  readonly deadline: number
  readonly attempt: number
  /** Epoch of the activation that sent it (I1); 0 from outside the swarm. */
  readonly epoch: number
  /** Control epoch of the conversation as the sender knew it (I7); 0 where it does not matter. */
  readonly control: number
  readonly principal: Principal | null
  /** Where untrusted text of this turn came from (I14); empty when there is none. */
  readonly taint: readonly string[]
  /** W3C traceparent, or empty. */
  readonly trace: string
  /** When it was first sent, milliseconds; older than the processed ids are kept is TOO_OLD. */
  readonly at: number
  /** Where a receipt of a command goes, or empty. */
  readonly receipt: string
  readonly payload: unknown
}

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { principal } = envelope
  const bytes = pack([
    WIRE_VERSION,
    envelope.id,
    envelope.type,
    envelope.version,
    envelope.tenant,
    envelope.from,
    envelope.chain,
    envelope.deadline,
    envelope.attempt,
    envelope.epoch,
    envelope.control,
    principal === null ? null : [principal.user, principal.roles, principal.scopes, principal.credential],
    envelope.taint,
    envelope.trace,
    envelope.at,
    envelope.receipt,
    envelope.payload,
  ])
  if (bytes.byteLength > MAX_PAYLOAD_BYTES) {
    throw new WaggleError('TOO_LARGE', { bytes: bytes.byteLength, limit: MAX_PAYLOAD_BYTES, type: envelope.type })
  }
  return bytes
}

/** Throws UNDECODABLE or WIRE_VERSION; never anything else. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const fields = expectArray(bytes, 17)
  const [
    ,
    id,
    type,
    version,
    tenant,
    from,
    chain,
    deadline,
    attempt,
    epoch,
    control,
    who,
    taint,
    trace,
    at,
    receipt,
    payload,
  ] = fields
  if (
    !isText(id) ||
    !isText(type) ||
    !isCount(version) ||
    !isText(tenant) ||
    !isAddress(from) ||
    !isAddresses(chain) ||
    !isCount(deadline) ||
    !isCount(attempt) ||
    !isCount(epoch) ||
    !isCount(control) ||
    !isTexts(taint) ||
    typeof trace !== 'string' ||
    !isCount(at) ||
    typeof receipt !== 'string' ||
    !(who === null || isPrincipal(who))
  ) {
    throw new WaggleError('UNDECODABLE', { reason: 'A field of the envelope has the wrong type.' })
  }
  const principal = who === null ? null : { tenant, user: who[0], roles: who[1], scopes: who[2], credential: who[3] }
  return {
    id,
    type,
    version,
    tenant,
    from,
    chain,
    deadline,
    attempt,
    epoch,
    control,
    principal,
    taint,
    trace,
    at,
    receipt,
    payload,
  }
}

/** An answer to a call: one value, one item of a stream, its end, or an error. `epoch` is the answering activation's (I1). */
export type Reply =
  | { readonly kind: 'value'; readonly epoch: number; readonly value: unknown }
  | { readonly kind: 'item'; readonly epoch: number; readonly number: number; readonly value: unknown }
  | { readonly kind: 'end'; readonly epoch: number; readonly number: number }
  | { readonly kind: 'error'; readonly epoch: number; readonly error: WaggleError }

const REPLY = { value: 0, item: 1, end: 2, error: 3 } as const

export function encodeReply(reply: Reply): Uint8Array {
  switch (reply.kind) {
    case 'value':
      return pack([WIRE_VERSION, REPLY.value, reply.epoch, reply.value])
    case 'item':
      return pack([WIRE_VERSION, REPLY.item, reply.epoch, reply.value, reply.number])
    case 'end':
      return pack([WIRE_VERSION, REPLY.end, reply.epoch, null, reply.number])
    case 'error':
      return pack([
        WIRE_VERSION,
        REPLY.error,
        reply.epoch,
        [reply.error.code, reply.error.details, reply.error.expected],
      ])
  }
}

/** Throws UNDECODABLE or WIRE_VERSION; never anything else. */
export function decodeReply(bytes: Uint8Array): Reply {
  const [, kind, epoch, value, number] = expectArray(bytes, 4)
  if (!isCount(epoch)) throw new WaggleError('UNDECODABLE', { reason: 'A reply has no epoch.' })
  switch (kind) {
    case REPLY.value:
      return { kind: 'value', epoch, value }
    case REPLY.item:
      return { kind: 'item', epoch, value, number: expectNumber(number) }
    case REPLY.end:
      return { kind: 'end', epoch, number: expectNumber(number) }
    case REPLY.error:
      return { kind: 'error', epoch, error: decodeError(value) }
    default:
      throw new WaggleError('UNDECODABLE', { reason: 'A reply of an unknown kind.' })
  }
}

function expectNumber(value: unknown): number {
  if (!isCount(value)) throw new WaggleError('UNDECODABLE', { reason: 'A reply of a stream has no number.' })
  return value
}

/** A code of a newer catalogue becomes INTERNAL; anything else than code, details, expected is no error of ours. */
function decodeError(value: unknown): WaggleError {
  const [code, details, expected] = Array.isArray(value) ? (value as unknown[]) : []
  if (typeof code !== 'string' || typeof details !== 'object' || details === null || Array.isArray(details)) {
    throw new WaggleError('UNDECODABLE', { reason: 'A reply holds something that is not an error.' })
  }
  const known = Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'INTERNAL'
  return new WaggleError(known, { ...details }, { expected: expected === true })
}

/** The decoded array of a message of this wire version with at least `fields` fields (more may come later). */
export function expectArray(bytes: Uint8Array, fields: number): unknown[] {
  const decoded = unpack(bytes)
  if (!Array.isArray(decoded)) throw new WaggleError('UNDECODABLE', { reason: 'Not an array.' })
  if (decoded[0] !== WIRE_VERSION)
    throw new WaggleError('WIRE_VERSION', { version: isCount(decoded[0]) ? decoded[0] : null, known: WIRE_VERSION })
  if (decoded.length < fields)
    throw new WaggleError('UNDECODABLE', { reason: `Only ${decoded.length} of ${fields} fields.` })
  return decoded
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0
}
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)
}
export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
function isAddresses(value: unknown): value is Address[] {
  return Array.isArray(value) && value.every(isAddress)
}
export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && value.indexOf('/') > 0
}
function isPrincipal(value: unknown): value is [string, string[], string[], string] {
  return (
    Array.isArray(value) && isText(value[0]) && isTexts(value[1]) && isTexts(value[2]) && typeof value[3] === 'string'
  )
}
