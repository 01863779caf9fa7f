import { charTable, DIGITS, isWordChar, trailingRun } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * US social security numbers: `123-45-6789` by its form, nine digits in a row only after the words that announce them.
 * Numbers that were never given out (area 000, 666 and above 899, group 00, serial 0000) are something else.
 */
const NUMBER = /(\d{3})([ -]?)(\d{2})\2(\d{4})/g
const ANNOUNCED =
  /\b(?:ssn|s\.s\.n|social(?: security)?(?: (?:number|no|nr))?|soc sec)\b\W{0,3}(?:(?:is|was|number|no)\b\W{0,3}){0,2}$/i
const ANNOUNCED_WITHIN = 48
/** With two characters behind it, which decide whether it ends there. */
const LONGEST = 13
const CHARS = charTable(`${DIGITS} -.`)

export const usSsn: Recogniser = {
  entity: 'us_ssn',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    NUMBER.lastIndex = from
    for (let match = NUMBER.exec(text); match !== null; match = NUMBER.exec(text)) {
      const [whole, area, separator, group, serial] = match
      const start = match.index
      const end = start + whole.length
      if (isGlued(text, start - 1, -1) || isGlued(text, end, 1) || !isGiven(area!, group!, serial!)) {
        NUMBER.lastIndex = start + 1
        continue
      }
      const announced = () => ANNOUNCED.test(text.slice(Math.max(0, start - ANNOUNCED_WITHIN), start))
      if (separator === '-' || announced()) found.push({ start, end, entity: 'us_ssn' })
    }
    return found
  },

  open: (text) => trailingRun(text, CHARS, LONGEST),
}

function isGlued(text: string, at: number, step: 1 | -1): boolean {
  if (isWordChar(text, at)) return true
  // A dash or a point binds when digits go on behind it.
  return (text[at] === '-' || text[at] === '.') && isWordChar(text, at + step)
}

function isGiven(area: string, group: string, serial: string): boolean {
  return area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000'
}
