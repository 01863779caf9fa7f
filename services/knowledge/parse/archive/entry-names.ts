const END_SIGNATURE = 0x06_05_4b_50
const ENTRY_SIGNATURE = 0x02_01_4b_50
const END_BYTES = 22
const ENTRY_BYTES = 46
/** The comment after the directory. */
const MAX_COMMENT = 65_535
/** Enough to find the main part of an Office document. */
const MAX_NAMES = 20_000

/** Names in the directory of a zip archive; nothing is inflated. What is no archive has none. */
export function entryNames(bytes: Uint8Array): Set<string> {
  const names = new Set<string>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.length - END_BYTES
  const lowest = Math.max(0, end - MAX_COMMENT)
  while (end >= lowest && view.getUint32(end, true) !== END_SIGNATURE) end -= 1
  if (end < lowest) return names
  let at = view.getUint32(end + 16, true)
  while (at + ENTRY_BYTES <= bytes.length && view.getUint32(at, true) === ENTRY_SIGNATURE && names.size < MAX_NAMES) {
    const length = view.getUint16(at + 28, true)
    names.add(new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + length)))
    at += ENTRY_BYTES + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return names
}
