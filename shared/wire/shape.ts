/** A nesting deeper than this is no message of ours; it bounds the stack of any decoder. */
export const MAX_DEPTH = 256

const TIMESTAMP = 0xff

// How many values are still to come at each depth; of a map its keys and values, so that a key comes at an even number.
// Made once: the walk is synchronous and calls nobody.
const left = new Int32Array(MAX_DEPTH)
const isMap = new Uint8Array(MAX_DEPTH)

/**
 * Whether the bytes are exactly one MessagePack value that a decoder may safely be given: complete, nothing behind it,
 * not too deep, keys are strings, and no extension but the timestamp. A decoder's own extensions would otherwise make
 * regular expressions, errors and references out of a stranger's bytes. Walks the structure without reading a body.
 */
export function isPlainMessagePack(bytes: Uint8Array): boolean {
  const { length } = bytes
  let depth = 0
  let at = 0
  left[0] = 1
  isMap[0] = 0
  for (;;) {
    while (left[depth] === 0) {
      if (depth === 0) return at === length
      depth--
    }
    if (at >= length) return false
    const token = bytes[at++]!
    const isKey = isMap[depth] === 1 && (left[depth]! & 1) === 0
    left[depth]!--

    if (token < 0x80 || token >= 0xe0) {
      if (isKey) return false
      continue
    }
    const isString = (token & 0xe0) === 0xa0 || (token >= 0xd9 && token <= 0xdb)
    if (isKey && !isString) return false
    if ((token & 0xe0) === 0xa0) {
      at += token & 31
      continue
    }

    let children = -1
    let map = false
    if (token < 0xa0) {
      children = token & 15
      map = token < 0x90
    } else if (token === 0xc1) return false
    else if (token < 0xc4) continue
    else if (token < 0xc7) at += sizeAt(bytes, at, token - 0xc4) + (1 << (token - 0xc4))
    else if (token < 0xca) {
      const width = 1 << (token - 0xc7)
      if (bytes[at + width] !== TIMESTAMP) return false
      at += sizeAt(bytes, at, token - 0xc7) + width + 1
    } else if (token < 0xcc) at += token === 0xca ? 4 : 8
    else if (token < 0xd4) at += 1 << (token & 3)
    else if (token < 0xd9) {
      if (bytes[at] !== TIMESTAMP) return false
      at += 1 + (1 << (token - 0xd4))
    } else if (token < 0xdc) at += sizeAt(bytes, at, token - 0xd9) + (1 << (token - 0xd9))
    else {
      const wide = (token & 1) === 1
      children = sizeAt(bytes, at, wide ? 2 : 1)
      map = token >= 0xde
      at += wide ? 4 : 2
    }
    if (at > length) return false
    if (children < 0) continue
    const values = map ? children * 2 : children
    // Each value takes a byte at least: a header that promises more is a lie, told to make a decoder reserve memory.
    if (values > length - at || ++depth >= MAX_DEPTH) return false
    left[depth] = values
    isMap[depth] = map ? 1 : 0
  }
}

/** A big-endian unsigned number of 1, 2 or 4 bytes; beyond the end it reads as if zeros followed. */
function sizeAt(bytes: Uint8Array, at: number, log2Width: number): number {
  if (log2Width === 0) return bytes[at] ?? 0
  const high = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  if (log2Width === 1) return high
  return high * 65_536 + (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0)
}
