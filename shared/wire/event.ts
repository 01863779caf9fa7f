import { WaggleError } from '#shared/errors/waggle-error.ts'
import { MAX_PAYLOAD_BYTES, WIRE_VERSION, expectArray, isAddress, isCount, isText } from './envelope.ts'
import type { Address } from './envelope.ts'
import { pack } from './codec.ts'

/**
 * One entry of the log (I5). A *fact* comes out of an outbox and is there for ever; a *delta* is volatile text between
 * facts, carrying (message id, offset) so that folding it twice or late gives the same state.
 */
export interface LogEvent {
  /** The same entry relayed twice has the same id. */
  readonly id: string
  /** `noun:verb` of the event map in shared/contracts. */
  readonly type: string
  readonly version: number
  /** Who says it. */
  readonly by: Address
  /** Epoch of that activation (I1). */
  readonly epoch: number
  /** Control epoch of the conversation it was said under (I7); 0 where control does not matter. */
  readonly control: number
  /** Milliseconds since 1970, for people; orders nothing. */
  readonly at: number
  /** W3C traceparent, or empty. */
  readonly trace: string
  readonly payload: unknown
}

/** The event that hands the voice on; its `control` is the new control epoch. */
export const CONTROL_CHANGED = 'control:changed'
/** Says only that an activation has begun, where a higher epoch takes over an actor that spoke before (I1). */
export const ACTIVATION_OPENED = 'activation:opened'
/** The runtime's own word on the life of an actor, for operators. */
export const ACTOR_CHANGED = 'actor:changed'
export const LETTER_BURIED = 'letter:buried'

export function encodeEvent(event: LogEvent): Uint8Array {
  const bytes = pack([
    WIRE_VERSION,
    event.id,
    event.type,
    event.version,
    event.by,
    event.epoch,
    event.control,
    event.at,
    event.trace,
    event.payload,
  ])
  if (bytes.byteLength > MAX_PAYLOAD_BYTES) {
    throw new WaggleError('TOO_LARGE', { bytes: bytes.byteLength, limit: MAX_PAYLOAD_BYTES, type: event.type })
  }
  return bytes
}

export function decodeEvent(bytes: Uint8Array): LogEvent {
  const [, id, type, version, by, epoch, control, at, trace, payload] = expectArray(bytes, 10)
  if (
    !isText(id) ||
    !isText(type) ||
    !isCount(version) ||
    !isAddress(by) ||
    !isCount(epoch) ||
    !isCount(control) ||
    !isCount(at) ||
    typeof trace !== 'string'
  ) {
    throw new WaggleError('UNDECODABLE', { reason: 'A field of the event has the wrong type.' })
  }
  return { id, type, version, by, epoch, control, at, trace, payload }
}
