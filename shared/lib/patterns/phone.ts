import { isPossiblePhoneNumber, isValidPhoneNumber } from 'libphonenumber-js/min'
import type { CountryCode } from 'libphonenumber-js/min'
import { charTable, inTable, isDigit, isWordChar } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * Phone numbers. What is written internationally, or is a number of one of the countries and written like one, or is
 * announced as one ("call", "mobile:"), and has none of the forms of dates, amounts, addresses and identifiers.
 * A cheap scan finds runs of the characters of phone numbers; only those are judged.
 */
const MAX_RUN_CHARS = 64
const MIN_DIGITS = 7
const MAX_DIGITS = 15
const ANNOUNCED_WITHIN = 32
/** ` ext. ` is the longest that stands between two digits of one number. */
const MAX_GAP_CHARS = 6
const GAP = charTable(' +().-/#xet')
const RUN = /[+(\d](?:[ +().\-/#xet]{0,6}\d)+/g
const EXTENSION = /\s?(?:x|ext\.?|#)\s?\d{1,6}$/
const ANNOUNCED =
  /(?:phone|\btel|mobile|\bcell|\bcall|\bfax|\btext|whatsapp|\bsms|\breach|contact|answer(?:ing|ed)? (?:at|on)|\bdial|\bring|hotline|handy|telefon|rufnummer|t[ée]l[ée]fono|m[óo]vil)[^\n\d]{0,20}$/i
/** Behind it: `555 0142 office`. */
const LABEL = /^[ -](?:office|home|work|mobile|cell|fax|direct)\b/i
const LABEL_OPEN = /[ -][a-z]{0,6}$/i
/** Glued to these it is an amount, an identifier or a part of one. */
const BEFORE = /[\p{L}\p{N}_#$€£¥=@&%*/\\.,:+-]/u
const AFTER = /[\p{L}\p{N}_%=@€$°*\\:]/u
const NOT_A_PHONE = [
  /^(?:19|20)\d\d([-./])\d{1,2}\1\d{1,2}(?:[ t].*)?$/, // a date, year first
  /^\d{1,2}[-./]\d{1,2}[-./](?:\d{2}|\d{4})(?: .*)?$/, // a date, year last
  /^\d{3}-\d{2}-\d{4}$/, // a social security number
  /^\d{1,3}(?:\.\d{1,3}){3}$/, // an IP address
  /^\d{4}(?:[ -]?\d{4}){2,3}$/, // a card
  /^\d+\.\d+$/, // a decimal
  /^(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d$/, // two years
]
/** Groups of three: an amount in words of others, a phone number in some countries. */
const THOUSANDS = /^\d{1,3}(?:[ .]\d{3})+$/

export const DEFAULT_PHONE_COUNTRIES = ['US', 'GB'] as const satisfies CountryCode[]

export function phone(countries: readonly string[] = DEFAULT_PHONE_COUNTRIES): Recogniser {
  const known = countries as readonly CountryCode[]
  return {
    entity: 'phone',
    reads: 'plain',

    find(text, from = 0) {
      const found: Span[] = []
      RUN.lastIndex = from === 0 ? 0 : runAround(text, from)
      for (let run = RUN.exec(text); run !== null; run = RUN.exec(text)) {
        if (run[0].length > MAX_RUN_CHARS || isMiddleOfRun(text, run.index)) continue
        for (const span of phonesIn(text, run.index, run[0], known)) if (span.start >= from) found.push(span)
      }
      return found
    },

    open(text) {
      // A colon binds to a digit behind it.
      const run = runBefore(text, text.endsWith(':') ? text.length - 1 : text.length)
      const open = run.tooLong ? run.nextStart : run.start
      const label = LABEL_OPEN.exec(text.slice(-8))
      if (label === null) return open
      const labelled = runBefore(text, text.length - label[0].length)
      return labelled.tooLong ? open : Math.min(open, labelled.start)
    },
  }
}

/** The run that reaches the end of the text, or may when a digit follows. */
function runBefore(text: string, end: number): { start: number; tooLong: boolean; nextStart: number } {
  let start = text.length
  let nextStart = text.length
  let lastDigit = -1
  let gap = 0
  for (let at = end - 1; at >= 0; at--) {
    if (isDigit(text, at)) {
      if (gap > MAX_GAP_CHARS) break
      if (lastDigit < 0) [lastDigit, nextStart] = [at, start]
      start = at
      gap = 0
    } else {
      gap += 1
      if (gap > MAX_GAP_CHARS + 1 || !inTable(GAP, text, at)) break
      if (text[at] === '+' || text[at] === '(') start = at
    }
    if (lastDigit + 1 - start > MAX_RUN_CHARS) return { start, tooLong: true, nextStart }
  }
  return { start, tooLong: false, nextStart }
}

/** Where the run begins that `at` is in the middle of: it is judged as a whole. */
function runAround(text: string, at: number): number {
  const { start, tooLong } = runBefore(text, at)
  return tooLong ? at : Math.min(start, at)
}

/** A run that is met in its middle began so far before that it is too long. */
function isMiddleOfRun(text: string, start: number): boolean {
  for (let at = start - 1, gap = 0; at >= 0 && gap <= MAX_GAP_CHARS; at--, gap++) {
    if (isDigit(text, at)) return true
    if (!inTable(GAP, text, at)) return false
  }
  return false
}

/** The whole run if it is one number; otherwise its parts where a new one begins, or at double spaces and slashes. */
function phonesIn(text: string, start: number, run: string, countries: readonly CountryCode[]): Span[] {
  const whole = judge(text, start, run, countries)
  if (whole !== null) return [whole]
  const found: Span[] = []
  for (const part of run.matchAll(/[+(\d](?:(?! {2}| [+(]| ?\/ ?)[\d +().\-/#xet])*/g)) {
    if (part[0].length === run.length) continue
    const span = judge(text, start + part.index, part[0], countries)
    if (span !== null) found.push(span)
  }
  return found
}

function judge(text: string, start: number, written: string, countries: readonly CountryCode[]): Span | null {
  const number = written.replace(/[^\d]+$/, '')
  const end = start + number.length
  const main = number.replace(EXTENSION, '')
  const digits = main.replace(/\D/g, '')
  if (digits.length < MIN_DIGITS || digits.length > MAX_DIGITS || /[xet#]/.test(main)) return null
  if (isBound(text, start, end) || NOT_A_PHONE.some((form) => form.test(number))) return null
  const span: Span = { start, end, entity: 'phone' }
  if (main.startsWith('+')) return isPossiblePhoneNumber(main) || digits.length >= 10 ? span : null
  if (ANNOUNCED.test(text.slice(Math.max(0, start - ANNOUNCED_WITHIN), start))) return span
  if (/^(?:001|0[0-9]{2,4}[ )/-]|\()/.test(main) && digits.length >= 8 && balanced(main)) return span
  if (LABEL.test(text.slice(end, end + 8))) return span
  if (THOUSANDS.test(main) || !/\d[ ).-]/.test(main)) return null
  if (/^1?[ .-]?\d{3}[.-]\d{3}[.-]\d{4}$/.test(main)) return span
  return countries.some((country) => isValidPhoneNumber(main, country)) ? span : null
}

function isBound(text: string, start: number, end: number): boolean {
  const before = text[start - 1]
  if (before !== undefined && BEFORE.test(before) && !/[:,.]/.test(before)) return true
  // A colon, comma or point binds when a digit stands before it: a time, a decimal.
  if (before !== undefined && /[:,.]/.test(before) && /\d/.test(text[start - 2] ?? '')) return true
  const after = text[end]
  if (after === undefined || !AFTER.test(after))
    return after === '-' && isWordChar(text, end + 1) && /\d/.test(text[end + 1]!)
  return after !== ':' || /\d/.test(text[end + 1] ?? '')
}

function balanced(text: string): boolean {
  return text.split('(').length === text.split(')').length
}
