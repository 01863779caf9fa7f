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
 * Throws BAD_INPUT on what no reader would accept (a cycle, a symbol, keys that are not strings, an integer beyond 64
 * bits): better here, where it was made, than as a dead letter. Strings must be well-formed Unicode: half of a surrogate
 * pair does not survive.
 */
export function pack(value: unknown): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = packr.pack(value)
  } catch (error) {
    throw new WaggleError('BAD_INPUT', { reason: 'The value cannot be encoded.' }, { cause: error })
  }
  if (!isPlainMessagePack(bytes)) throw new WaggleError('BAD_INPUT', { reason: 'The value has no plain form.' })
  return bytes
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
