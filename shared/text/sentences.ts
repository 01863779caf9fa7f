import { MAY_END, NEVER_END, STARTERS } from './abbreviations.ts'

/**
 * Sentences with their places, so that a quote is a span of its source and nothing else. For every sentence
 * `text.slice(start, end) === sentence.text`; sentences are trimmed, in order, do not overlap, and hold every character
 * that is not white space.
 */
export interface Sentence {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** A line of this length that ends in no mark was broken by a margin, not by its author. */
const MIN_WRAPPED_CHARS = 50
/** Lines are not joined beyond this: a page without a single full stop is no sentence. */
const MAX_JOINED_CHARS = 500
/** How far back and forward a full stop is looked at. */
const LOOK_CHARS = 24

const MARK = /[.!?…。！？\n]/g
const CLOSERS = new Set(`"'”’)]»*_`)
const ENDS = new Set('.!?…')
const WIDE_ENDS = new Set('。！？')
const LIST_LINE = /^[ \t]*(?:[-*•–·▪◦]|\(?\d{1,3}[.)]|[a-z]\))[ \t]/
const LIST_NUMBER = /^\s*\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})\.$/

/** Splits at full stops that end something, at blank lines, and at line ends that are not mere wrapping. Linear in the text. */
export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  const close = (end: number): void => {
    const raw = text.slice(start, end)
    const said = raw.trim()
    if (said !== '') {
      const from = start + raw.length - raw.trimStart().length
      sentences.push({ text: said, start: from, end: from + said.length })
    }
    start = end
  }
  MARK.lastIndex = 0
  let at = nextMark(text, 0)
  while (at >= 0) {
    const end = text[at] === '\n' ? lineEnd(text, start, at) : stopEnd(text, start, at)
    if (end.closes) close(end.next)
    at = nextMark(text, end.next)
  }
  close(text.length)
  return sentences
}

interface End {
  readonly closes: boolean
  /** Where reading goes on. */
  readonly next: number
}

function nextMark(text: string, from: number): number {
  MARK.lastIndex = from
  return MARK.exec(text)?.index ?? -1
}

function lineEnd(text: string, start: number, at: number): End {
  let next = at
  let lines = 0
  while (next < text.length && isSpace(text[next])) {
    if (text[next] === '\n') lines += 1
    next += 1
  }
  if (lines > 1 || next >= text.length) return { closes: true, next }
  // From the line's first column: the indent belongs to the look of a list.
  const following = text.slice(at + 1, next + LOOK_CHARS)
  if (LIST_LINE.test(following)) return { closes: true, next }
  const lineStart = Math.max(start, text.lastIndexOf('\n', at - 1) + 1)
  const line = text.slice(lineStart, at)
  if (at - start > MAX_JOINED_CHARS || /[|\t:]\s*$/.test(line) || line.includes(' | ')) return { closes: true, next }
  if (/^\p{Ll}/u.test(text.slice(next, next + 2))) return { closes: false, next }
  const wrapped = line.length >= MIN_WRAPPED_CHARS && /[\p{L}\p{N},;)-]\s*$/u.test(line)
  return { closes: !wrapped, next }
}

function stopEnd(text: string, start: number, at: number): End {
  let next = at
  while (next < text.length && (ENDS.has(text[next] ?? '') || WIDE_ENDS.has(text[next] ?? ''))) next += 1
  const marks = next - at
  const wide = WIDE_ENDS.has(text[next - 1] ?? '')
  while (next < text.length && CLOSERS.has(text[next] ?? '')) next += 1
  const closed = next - at > marks
  if (next >= text.length || wide) return { closes: true, next }
  // 3.14, example.com, e.g
  if (!isSpace(text[next])) return { closes: false, next }
  let ahead = next
  while (ahead < text.length && ahead - next < LOOK_CHARS && isSpace(text[ahead])) ahead += 1
  const following = text.slice(ahead, ahead + LOOK_CHARS)
  const small = /^\p{Ll}/u.test(following)
  if (text[at] !== '.' || marks > 1) return { closes: !(small && (closed || text[at] === '…' || marks > 1)), next }
  if (closed) return { closes: !small, next }
  // The number of a list item belongs to the item.
  if (at - start < 8 && LIST_NUMBER.test(text.slice(start, at + 1))) return { closes: false, next }
  return { closes: endsHere(wordBefore(text, at), following, small), next }
}

function endsHere(word: string, following: string, small: boolean): boolean {
  const lower = word.toLowerCase()
  // `c. 1450` and `Brown v. Board`, but not `vitamin C.`
  if (NEVER_END.has(lower) && !/^\p{Lu}$/u.test(word)) return false
  if (/^(?:no|nos|nr|art|sec|ch|vol|p|pp|fig|figs|eq|§)$/.test(lower)) return !small && !/^[\d(IVX]/.test(following)
  const starter = STARTERS.has(/^[\p{L}’']+/u.exec(following)?.[0] ?? '')
  if (MAY_END.has(lower) || lower.includes('.')) return starter
  // J. Smith, but not `vitamin C. The …`
  if (/^\p{Lu}$/u.test(word)) return starter
  return !(small && word.length <= 3)
}

function wordBefore(text: string, at: number): string {
  let from = at
  while (from > 0 && at - from < LOOK_CHARS && /[\p{L}\p{N}.]/u.test(text[from - 1] ?? '')) from -= 1
  return text.slice(from, at)
}

function isSpace(char: string | undefined): boolean {
  return char !== undefined && /\s/.test(char)
}
