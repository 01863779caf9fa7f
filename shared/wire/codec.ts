import { Packr } from 'msgpackr'
import { WaggleError } from '#shared/errors/waggle-error.ts'

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

export function pack(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Throws UNDECODABLE on anything that is not exactly one MessagePack value. */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes)
  } catch (error) {
    throw new WaggleError('UNDECODABLE', { bytes: bytes.byteLength }, { cause: error })
  }
}
