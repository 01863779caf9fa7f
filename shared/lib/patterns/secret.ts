import { entropy } from './entropy.ts'
import { PRIVATE_KEY_BEGIN, PRIVATE_KEY_END, SECRET_FORMS } from './secret-forms.ts'
import { charTable, joinOverlaps, trimmedEnd } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * Keys, tokens and passwords: by their known forms, by what announces them (`api_key = …`, "my password is …"), and by
 * their randomness. Only the value is taken, never the words around it: asking how to set an API key is no secret.
 */
const ANNOUNCED =
  /\b(?:api|access|secret|private|auth|client|signing|encryption)?[ _-]?(?:password|passwd|passphrase|pwd|secret|token|api[ _-]?key|access[ _-]?key|secret[ _-]?key|private[ _-]?key|credential)s?["']?(?:\s{0,3}(?::=|=>|[:=])\s{0,3}|\s{1,3}is\s{0,3}:?\s{1,3})(["'`]?)(?=\S)/gi
/** How far back a value may be from the word that announces it. */
const ANNOUNCED_MAX = 80
const RANDOM = /(?<![A-Za-z0-9+/_=.-])[A-Za-z0-9+/_-]{40,}={0,2}/g
const RANDOM_BITS = 4.4
const PLACEHOLDER =
  /^(?:\$\{|\{\{|<|\[|%|\*{3}|x{4}|X{4}|\.{3}|your|my[-_]|example|sample|dummy|test|changeme|placeholder|redacted|null|none|undefined|true|false|process\.env|os\.environ|https?:\/\/)/i
const PLACEHOLDER_MAX = 24
const CLOSING = charTable('.,;:!?)]}"\'`')
const BEGIN_MARK = '-----BEGIN '
const BEGIN_MAX = 80

export const secret: Recogniser = {
  entity: 'secret',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    const add = (start: number, end: number): void => {
      if (start >= from) found.push({ start, end, entity: 'secret' })
    }
    for (const { hint, pattern } of SECRET_FORMS) {
      // A hint may stand before the value, and so before what is settled.
      if (!text.includes(hint, Math.max(0, from - ANNOUNCED_MAX))) continue
      for (const match of matchesFrom(pattern, text, from)) add(match.index, match.index + match[0].length)
    }
    for (const match of matchesFrom(RANDOM, text, from))
      if (isRandom(match[0])) add(match.index, match.index + match[0].length)
    for (const begin of matchesFrom(PRIVATE_KEY_BEGIN, text, from)) {
      PRIVATE_KEY_END.lastIndex = begin.index
      const end = PRIVATE_KEY_END.exec(text)
      add(begin.index, end === null ? text.length : end.index + end[0].length)
      if (end === null) break
    }
    ANNOUNCED.lastIndex = Math.max(0, from - ANNOUNCED_MAX)
    for (let match = ANNOUNCED.exec(text); match !== null; match = ANNOUNCED.exec(text)) {
      const value = valueAfter(text, match.index + match[0].length, match[1] ?? '')
      if (value === null) continue
      add(value.start, value.end)
      ANNOUNCED.lastIndex = value.end
    }
    return joinOverlaps(found)
  },

  open(text, from = 0) {
    const begin = openPrivateKey(text, from)
    let at = text.length
    while (at > from && isVisibleAscii(text, at - 1)) at -= 1
    return Math.min(begin, at)
  },
}

function* matchesFrom(pattern: RegExp, text: string, from: number): Generator<RegExpExecArray> {
  pattern.lastIndex = from
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const next = Math.max(pattern.lastIndex, match.index + 1)
    yield match
    pattern.lastIndex = next
  }
}

/** A value that looks chosen or made, not like the next word of a sentence. */
function valueAfter(text: string, start: number, quote: string): Span | null {
  if (PLACEHOLDER.test(text.slice(start, start + PLACEHOLDER_MAX))) return null
  let end = start
  while (isVisibleAscii(text, end) && (quote === '' || text[end] !== quote)) end += 1
  if (quote === '' || text[end] !== quote) end = trimmedEnd(text, start, end, CLOSING)
  const value = text.slice(start, end)
  const telling = /\d/.test(value) || /[a-z][A-Z]/.test(value) || /[^A-Za-z0-9'-]/.test(value)
  if (value.length < 6 || !telling || entropy(value) < 2) return null
  return { start, end, entity: 'secret' }
}

/** Long, mixed and even: not a path, not a word, not a repeated letter, and not a hash or identifier in hex. */
function isRandom(token: string): boolean {
  const mixed = /[a-z]/.test(token) && /[A-Z]/.test(token) && /\d/.test(token)
  return mixed && (token.match(/[/_-]/g)?.length ?? 0) <= token.length / 10 && entropy(token) >= RANDOM_BITS
}

/** Where a private key begins that has no end yet, or where the line may begin that opens one. */
function openPrivateKey(text: string, from: number): number {
  for (let at = text.indexOf(BEGIN_MARK, from); at >= 0; at = text.indexOf(BEGIN_MARK, at + 1)) {
    const line = text.slice(at, at + BEGIN_MAX)
    if (at + BEGIN_MAX >= text.length && /^-----BEGIN [A-Z0-9 ]*-{0,5}$/.test(line)) return at
    PRIVATE_KEY_BEGIN.lastIndex = at
    if (PRIVATE_KEY_BEGIN.exec(text)?.index !== at) continue
    PRIVATE_KEY_END.lastIndex = at
    if (PRIVATE_KEY_END.exec(text) === null) return at
  }
  for (let size = Math.min(BEGIN_MARK.length - 1, text.length - from); size > 0; size--)
    if (text.endsWith(BEGIN_MARK.slice(0, size))) return text.length - size
  return text.length
}

function isVisibleAscii(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code > 32 && code < 127
}
