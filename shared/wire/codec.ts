import { Packr } from 'msgpackr'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { isPlainMessagePack } from './shape.ts'

/**
 * MessagePack with options frozen for wire version 1 (`golden/` holds the bytes): no record extension (any MessagePack
 * library can read it), 64-bit floats, `undefined` as nil, integers beyond 2^53 refused by our own schemas.
 */
const packr = new Packr({
  useRecords: false,
  encodeUndefinedAsNil: true,
  int64AsType: 'number',
  moreTypes: false,
  mapsAsObjects: true,
  copyBuffers: true,
})

/**
 * Throws BAD_INPUT on what has no MessagePack form (a cycle, a symbol, an integer beyond 64 bits). Strings must be
 * well-formed Unicode: half of a surrogate pair does not survive.
 */
export function pack(value: unknown): Uint8Array {
  try {
    return packr.pack(value)
  } catch (error) {
    throw new WaggleError('BAD_INPUT', { reason: 'The value cannot be encoded.' }, { cause: error })
  }
}

/** Throws UNDECODABLE on anything that is not exactly one plain MessagePack value (see shape.ts). */
export function unpack(bytes: Uint8Array): unknown {
  if (!isPlainMessagePack(bytes)) throw new WaggleError('UNDECODABLE', { bytes: bytes.byteLength })
  try {
    return packr.unpack(bytes)
  } catch (error) {
    throw new WaggleError('UNDECODABLE', { bytes: bytes.byteLength }, { cause: error })
  }
}
