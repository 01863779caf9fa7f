/**
 * Bytes to text: a byte order mark decides, then the encoding the sender named, then UTF-8 where the bytes are UTF-8, then
 * Windows-1252, which takes every byte. Line ends become "\n".
 */
export function decodeText(bytes: Uint8Array, named = ''): string {
  return decode(bytes, named).replaceAll(/\r\n?/g, '\n').replaceAll('\0', '')
}

function decode(bytes: Uint8Array, named: string): string {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return new TextDecoder('utf-8').decode(bytes)
  if (a === 0xff && b === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (a === 0xfe && b === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  const wide = zerosAt(bytes)
  if (wide !== null) return new TextDecoder(wide).decode(bytes)
  for (const encoding of [named, 'utf-8']) {
    if (encoding === '') continue
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes)
    } catch {
      // An encoding that nobody knows, or bytes that are not in it: the next.
    }
  }
  return new TextDecoder('windows-1252').decode(bytes)
}

const LOOKED_AT = 512

/** UTF-16 without a mark: every other byte of western text is zero. */
function zerosAt(bytes: Uint8Array): string | null {
  const head = bytes.subarray(0, LOOKED_AT)
  let even = 0
  let odd = 0
  for (const [at, byte] of head.entries()) {
    if (byte === 0) {
      if (at % 2 === 0) even += 1
      else odd += 1
    }
  }
  if (odd > head.length / 4 && even === 0) return 'utf-16le'
  if (even > head.length / 4 && odd === 0) return 'utf-16be'
  return null
}
