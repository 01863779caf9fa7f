/** A stretch of text that is something, `start` to `end` in UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly entity: Entity
}

/** What is looked for, and the word that stands in its place when it is masked. */
export const ENTITY_LABELS = {
  email: 'e-mail address',
  phone: 'phone number',
  payment_card: 'card number',
  iban: 'bank account',
  us_ssn: 'social security number',
  ip_address: 'IP address',
  secret: 'secret',
  url: 'link',
  hidden_text: 'hidden text',
  banned_term: 'term',
} as const

export type Entity = keyof typeof ENTITY_LABELS

/** The form of the text it wants (fold.ts): as written, without disguises, or with look-alikes and lower case as well. */
export type Reading = 'written' | 'plain' | 'loose'

/**
 * Finds one kind of thing in a text, and can do so while the text is still growing.
 *
 * Two laws make the second possible. Whatever is appended later, what `find` reports before `open(text)` stays as it is,
 * and nothing new comes there: all before `open` is settled. And `find(text, from)` is the part of `find(text)` that
 * begins at `from` or later, where `from` is not inside a match; what lies before it is only looked back at.
 */
export interface Recogniser {
  readonly entity: Entity
  readonly reads: Reading
  find(text: string, from?: number): Span[]
  open(text: string, from?: number): number
}

/** In order; what overlaps is one, of the kind of the first (of those that begin together, the longest). */
export function joinOverlaps<Found extends Span>(spans: readonly Found[]): Found[] {
  const sorted = spans.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const joined: Found[] = []
  for (const span of sorted) {
    const last = joined.at(-1)
    if (last === undefined || span.start >= last.end) joined.push(span)
    else if (span.end > last.end) joined[joined.length - 1] = { ...last, end: span.end }
  }
  return joined
}

/** A set of ASCII characters, asked once per character of every text. */
export type CharTable = Uint8Array

export function charTable(chars: string): CharTable {
  const table = new Uint8Array(128)
  for (const char of chars) table[char.charCodeAt(0)] = 1
  return table
}

export const DIGITS = '0123456789'
export const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

export function inTable(table: CharTable, text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 && table[code] === 1
}

/** Where the characters of a table begin that reach to the end of the text; no further back than `max` characters. */
export function trailingRun(text: string, table: CharTable, max: number): number {
  const stop = Math.max(0, text.length - max)
  let at = text.length
  while (at > stop && inTable(table, text, at - 1)) at -= 1
  return at
}

/** The index after the last character that is not in the table, between the two bounds. */
export function trimmedEnd(text: string, start: number, end: number, table: CharTable): number {
  let at = end
  while (at > start && inTable(table, text, at - 1)) at -= 1
  return at
}

export function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

/** An ASCII letter or digit, or any letter beyond ASCII. */
export function isWordChar(text: string, at: number): boolean {
  if (at < 0 || at >= text.length) return false
  const code = text.charCodeAt(at)
  if (code < 128) return isDigit(text, at) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return BEYOND_ASCII.test(text[at]!)
}

const BEYOND_ASCII = /[\p{L}\p{N}]/u
