import { WaggleError } from '#shared/errors/waggle-error.ts'

/**
 * Names as subject tokens. A name of the plain form (`a-z 0-9` and single inner dashes, not starting with `x-`) stands
 * for itself; any other text is `x-` + base32hex of its UTF-8. The mapping is one to one in both directions: nothing
 * is "sanitised", two names never become one token. A composite key joins its encoded parts by `--`.
 */
export const MAX_KEY_CHARS = 120

const PLAIN = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const DIGITS = '0123456789abcdefghijklmnopqrstuv'
const JOINT = '--'

export function encodeName(text: string): string {
  if (PLAIN.test(text) && !text.startsWith('x-')) return checkLength(text)
  if (text.length === 0) throw new WaggleError('BAD_NAME', { reason: 'A name cannot be empty.' })
  if (!text.isWellFormed()) throw new WaggleError('BAD_NAME', { reason: 'A name must be well-formed Unicode.' })
  return checkLength(`x-${base32hex(new TextEncoder().encode(text))}`)
}

export function decodeName(token: string): string {
  if (!PLAIN.test(token))
    throw new WaggleError('BAD_NAME', { reason: `Not a token: ${JSON.stringify(token.slice(0, 60))}.` })
  if (!token.startsWith('x-')) return token
  const text = fromBase32hex(token.slice(2))
  // Only the canonical form is a name: otherwise two tokens would mean one name.
  if (text === null || encodeName(text) !== token) {
    throw new WaggleError('BAD_NAME', { reason: `Not a canonical token: ${token.slice(0, 60)}.` })
  }
  return text
}

/** The token of a key of one or more parts, at most 120 characters (KEY_TOO_LONG). */
export function encodeKey(parts: readonly string[]): string {
  if (parts.length === 0) throw new WaggleError('BAD_NAME', { reason: 'A key needs at least one part.' })
  if (parts.length === 1) return encodeName(parts[0]!)
  return checkLength(parts.map(encodeName).join(JOINT))
}

export function decodeKey(token: string): string[] {
  checkLength(token)
  return token.split(JOINT).map(decodeName)
}

/** The encoded first part of a key: what decides the partition, so that children live with their parent. */
export function keyHead(token: string): string {
  const joint = token.indexOf(JOINT)
  return joint < 0 ? token : token.slice(0, joint)
}

function checkLength(token: string): string {
  if (token.length > MAX_KEY_CHARS) throw new WaggleError('KEY_TOO_LONG', { chars: token.length, limit: MAX_KEY_CHARS })
  return token
}

function base32hex(bytes: Uint8Array): string {
  let out = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += DIGITS[(buffer >>> bits) & 31]
    }
  }
  return bits > 0 ? out + DIGITS[(buffer << (5 - bits)) & 31] : out
}

function fromBase32hex(text: string): string | null {
  const bytes: number[] = []
  let buffer = 0
  let bits = 0
  for (const char of text) {
    const digit = DIGITS.indexOf(char)
    if (digit < 0) return null
    buffer = ((buffer << 5) | digit) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((buffer >>> bits) & 255)
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return null
  }
}
