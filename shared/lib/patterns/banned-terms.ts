import { LinearPattern } from '../linear-pattern/linear-pattern.ts'
import { foldText } from './fold.ts'
import { isWordChar } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/**
 * A tenant's own words and patterns. Terms are whole words or phrases, whatever their case and disguise (the text must be
 * folded with look-alikes and lower case); patterns run in linear time. Throws PatternRefused.
 */
export function bannedTerms(terms: readonly string[], patterns: readonly string[] = []): Recogniser {
  const wanted = [...new Set(terms.map((term) => foldTerm(term)).filter((term) => term !== ''))]
  const compiled = patterns.map((source) => new LinearPattern(source, { ignoreCase: true }))
  const longest = Math.max(0, ...wanted.map((term) => term.length))
  return {
    entity: 'banned_term',
    reads: 'loose',

    find(text, from = 0) {
      const found: Span[] = []
      for (const term of wanted) {
        for (let at = text.indexOf(term, from); at >= 0; at = text.indexOf(term, at + 1)) {
          if (isWhole(text, at, at + term.length))
            found.push({ start: at, end: at + term.length, entity: 'banned_term' })
        }
      }
      for (const pattern of compiled)
        for (const { start, end } of pattern.findAll(text, from)) found.push({ start, end, entity: 'banned_term' })
      return found
    },

    open(text, from = 0) {
      const first = Math.min(text.length, ...compiled.map((pattern) => pattern.openAt(text, from)))
      for (let at = Math.max(from, text.length - longest); at < first; at++) {
        if (isWordChar(text, at - 1) && isWordChar(text, at)) continue
        const tail = text.slice(at)
        if (wanted.some((term) => term.startsWith(tail))) return at
      }
      return first
    },
  }
}

function foldTerm(term: string): string {
  return foldText(term, { lookalikes: true, lowerCase: true }).trim()
}

/** Not a part of a longer word; a term that begins or ends with a sign has no such edge. */
function isWhole(text: string, start: number, end: number): boolean {
  const cutBefore = isWordChar(text, start) && isWordChar(text, start - 1)
  const cutAfter = isWordChar(text, end - 1) && isWordChar(text, end)
  return !cutBefore && !cutAfter
}
