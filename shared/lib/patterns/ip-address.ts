import { isIPv4, isIPv6 } from 'node:net'
import { charTable, inTable, isWordChar, trailingRun } from './span.ts'
import type { Recogniser, Span } from './span.ts'

const LONGEST = 64
const CHARS = charTable('0123456789abcdefABCDEF:.')
const RUN = /[0-9A-Fa-f:.]{3,}/g
/** `1.2.3.4` after these is a version. */
const VERSION = /(?:\bv|version\s?|release\s?)$/i

export const ipAddress: Recogniser = {
  entity: 'ip_address',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    RUN.lastIndex = from
    for (let run = RUN.exec(text); run !== null; run = RUN.exec(text)) {
      const word = run[0].replace(/[.:]+$/, (tail) => (tail.startsWith('::') ? '::' : ''))
      const start = run.index
      const end = start + word.length
      // The rest of a run that began before `from` was too long.
      if (start > 0 && inTable(CHARS, text, start - 1)) continue
      if (run[0].length > LONGEST - 2 || isWordChar(text, start - 1) || isWordChar(text, start + run[0].length))
        continue
      const isAddress = word.includes(':')
        ? isIPv6(word) && /\d/.test(word) && (word.match(/[0-9a-f]+/gi)?.length ?? 0) > 1
        : isIPv4(word) && !VERSION.test(text.slice(Math.max(0, start - 10), start))
      if (isAddress) found.push({ start, end, entity: 'ip_address' })
      else found.push(...withPort(word, start))
    }
    return found
  },

  open: (text) => trailingRun(text, CHARS, LONGEST),
}

/** `10.0.0.1:8080`, which as a whole is neither. */
function withPort(word: string, start: number): Span[] {
  const colon = word.indexOf(':')
  const host = word.slice(0, Math.max(colon, 0))
  return isIPv4(host) ? [{ start, end: start + host.length, entity: 'ip_address' }] : []
}
