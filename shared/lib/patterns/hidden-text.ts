import { INVISIBLE } from './fold.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * Characters that show nothing and say something: Unicode tags (a whole message can be hidden in them), overrides of the
 * writing direction, zero-width characters inside words, runs of variation selectors. Where a script or an emoji needs
 * one of them it stays: joiners in Persian, Hindi and emoji families, marks beside right-to-left letters, the tags of a
 * flag. Works on the original text; folding would remove what is looked for.
 */
const RUN = new RegExp(`(?:${INVISIBLE.source})+`, 'gu')
const ONE = new RegExp(`^(?:${INVISIBLE.source})$`, 'u')
const PICTURE = /^(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\u{1f1e6}-\u{1f1ff}]|\ufe0f|\u20e3)$/u
const JOINED_SCRIPT =
  /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Khmer}\p{Script=Mongolian}\p{M}]$/u
const NO_SPACES_SCRIPT =
  /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Tibetan}]$/u
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
const NEAR_CHARS = 24
const FLAG = /^\u{1f3f4}$/u
const FLAG_TAGS = /^[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{2,6}\u{e007f}$/u

export const hiddenText: Recogniser = {
  entity: 'hidden_text',
  reads: 'written',

  find(text, from = 0) {
    const found: Span[] = []
    RUN.lastIndex = from
    for (let run = RUN.exec(text); run !== null; run = RUN.exec(text)) {
      const before = charBefore(text, run.index)
      const after = charAt(text, run.index + run[0].length)
      const near = text.slice(Math.max(0, run.index - NEAR_CHARS), run.index) + after
      if (!belongs(run[0], run.index, before, after, near))
        found.push({ start: run.index, end: run.index + run[0].length, entity: 'hidden_text' })
    }
    return found
  },

  open(text, from = 0) {
    let at = text.length
    while (at > from) {
      const char = charBefore(text, at)
      if (!ONE.test(char)) break
      at -= char.length
    }
    return at
  },
}

function belongs(run: string, at: number, before: string, after: string, near: string): boolean {
  if (FLAG.test(before) && FLAG_TAGS.test(run)) return true
  const chars = Array.from(run)
  if (chars.length > 2) return false
  return chars.every((char, index) => {
    const previous = index === 0 ? before : chars[index - 1]!
    const next = index === chars.length - 1 ? after : chars[index + 1]!
    return belongsAlone(char, at + index, previous, next, near)
  })
}

function belongsAlone(char: string, at: number, before: string, after: string, near: string): boolean {
  switch (char) {
    case '\ufe0e':
    case '\ufe0f':
      return /[\p{Emoji}\p{Extended_Pictographic}\p{S}]/u.test(before)
    case '\u200d':
      return (PICTURE.test(before) && PICTURE.test(after)) || (JOINED_SCRIPT.test(before) && isLetter(after))
    case '\u200c':
      return JOINED_SCRIPT.test(before) && isLetter(after)
    case '\u200b':
      return NO_SPACES_SCRIPT.test(before) || NO_SPACES_SCRIPT.test(after) || JOINED_SCRIPT.test(before)
    case '\u200e':
    case '\u200f':
    case '\u061c':
    case '\u2066':
    case '\u2067':
    case '\u2068':
    case '\u2069':
    case '\u202a':
    case '\u202b':
    case '\u202c':
      return RIGHT_TO_LEFT.test(near)
    case '\ufeff':
      return at === 0
    case '\u00ad':
      return isLetter(before) && isLetter(after)
    default:
      return /^[\ufe00-\ufe02\u{e0100}-\u{e010f}]$/u.test(char) && /^\p{Script=Han}$/u.test(before)
  }
}

function isLetter(char: string): boolean {
  return /^[\p{L}\p{M}]$/u.test(char)
}

function charAt(text: string, at: number): string {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function charBefore(text: string, at: number): string {
  if (at <= 0) return ''
  const low = text.charCodeAt(at - 1)
  const paired = low >= 0xdc00 && low <= 0xdfff && at >= 2 && (text.charCodeAt(at - 2) & 0xfc00) === 0xd800
  return text.slice(paired ? at - 2 : at - 1, at)
}
