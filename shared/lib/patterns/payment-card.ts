import { charTable, DIGITS, isWordChar, trailingRun } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * Card numbers: 12 to 19 digits, in one piece or in groups, with a correct check digit (Luhn) and the first digits of a
 * card scheme. One number in ten has a correct check digit by chance; the scheme and the grouping keep order numbers out.
 */
const MIN_DIGITS = 12
const MAX_DIGITS = 19
const MAX_GROUPS = 5
const RUN = /\d(?:[ .-]?\d){11,}/g
/** A number with a separator after each digit is the longest there is. */
const LONGEST = MAX_DIGITS * 2
const NUMBER = charTable(`${DIGITS} .-`)

export const paymentCard: Recogniser = {
  entity: 'payment_card',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    RUN.lastIndex = from
    for (let run = RUN.exec(text); run !== null; run = RUN.exec(text)) {
      const start = run.index
      const end = start + run[0].length
      // Glued to a word, the first or last group is part of an identifier.
      found.push(...cardsIn(text, start, isWordChar(text, start - 1), end, isWordChar(text, end)))
    }
    return found
  },

  open(text) {
    let at = trailingRun(text, NUMBER, LONGEST)
    while (at < text.length && (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57)) at += 1
    return at
  },
}

interface Group {
  readonly start: number
  readonly end: number
}

function cardsIn(text: string, start: number, gluedBefore: boolean, end: number, gluedAfter: boolean): Span[] {
  const groups: Group[] = []
  for (const match of text.slice(start, end).matchAll(/\d+/g))
    groups.push({ start: start + match.index, end: start + match.index + match[0].length })
  if (gluedBefore) groups.shift()
  if (gluedAfter) groups.pop()
  const found: Span[] = []
  for (let first = 0; first < groups.length; first++) {
    const last = lastGroup(text, groups, first)
    if (last < 0) continue
    found.push({ start: groups[first]!.start, end: groups[last]!.end, entity: 'payment_card' })
    first = last
  }
  return found
}

/** The group with which a card number that begins at `first` ends; -1 when none begins there. The longest wins. */
function lastGroup(text: string, groups: readonly Group[], first: number): number {
  let digits = ''
  let ends = -1
  const sizes: number[] = []
  for (let index = first; index < groups.length && index < first + MAX_GROUPS; index++) {
    const { start, end } = groups[index]!
    digits += text.slice(start, end)
    sizes.push(end - start)
    if (digits.length > MAX_DIGITS) break
    if (digits.length >= MIN_DIGITS && isGrouping(sizes) && hasScheme(digits) && luhn(digits)) ends = index
  }
  return ends
}

/** In one piece, in fours with a shorter or equal last one, or 4-6-5 and 4-6-4. */
function isGrouping(sizes: readonly number[]): boolean {
  if (sizes.length === 1) return true
  if (sizes.length === 3 && sizes[0] === 4 && sizes[1] === 6) return sizes[2] === 5 || sizes[2] === 4
  return sizes.every((size, index) => (index < sizes.length - 1 ? size === 4 : size <= 4))
}

/** Maestro, which alone has 12 and 13 digits, shares its first digits with many other numbers. */
function hasScheme(digits: string): boolean {
  if (digits.length < 14)
    return /^(?:50[0-9]{2}|5[6-8]|6304|67|0604|639)/.test(digits) || (digits.length === 13 && digits.startsWith('4'))
  return /^(?:4|5|6|2[2-7]|3[0-9]|8[16]|1800|2131|9792)/.test(digits)
}

export function luhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0 && !/^(\d)\1*$/.test(digits)
}
