import { idfOf } from './bm25.ts'
import { questionIn } from './question.ts'
import type { Question } from './question.ts'
import { readTerms } from './read-terms.ts'
import type { QueryTerm, StoredPassage, TermFrequencies } from './search-index.ts'
import { inflectedPrefix, queryTerms } from './terms.ts'

/** Words a tenant uses for one another: a term, and what else it may be called. */
export type Glossary = ReadonlyMap<string, readonly string[]>

const GLOSSARY_WEIGHT = 0.6
const ACRONYM_WEIGHT = 0.7
const MAX_EXPANSIONS = 12

/** What the glossary says of the question: whole terms, compared word by word. */
export function fromGlossary(question: string, glossary: Glossary): QueryTerm[] {
  const asked = ` ${readTerms(question)
    .map((word) => word.stem)
    .join(' ')} `
  const found: QueryTerm[] = []
  for (const [term, others] of glossary) {
    const stems = readTerms(term).map((word) => word.stem)
    if (stems.length === 0 || !asked.includes(` ${stems.join(' ')} `)) continue
    for (const other of others) found.push(...weighed(other, GLOSSARY_WEIGHT))
  }
  return found.slice(0, MAX_EXPANSIONS * 2)
}

/**
 * Acronyms of the question that the passages spell out, and long forms of it that they shorten: `Value Added Tax (VAT)`
 * (after Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions", PSB 2003).
 */
export function fromAcronyms(question: string, texts: readonly string[]): QueryTerm[] {
  const asked = new Set(readTerms(question).map((word) => word.surface))
  const found = new Map<string, QueryTerm[]>()
  for (const text of texts) {
    for (const { short, long } of acronymsIn(text)) {
      const words = readTerms(long)
      if (asked.has(short.toLowerCase())) found.set(`${short} ${long}`, weighed(long, ACRONYM_WEIGHT))
      else if (words.every((word) => word.stop || asked.has(word.surface)))
        found.set(`${long} ${short}`, weighed(short, ACRONYM_WEIGHT))
    }
  }
  return [...found.values()].flat().slice(0, MAX_EXPANSIONS * 2)
}

export interface Acronym {
  readonly short: string
  readonly long: string
}

const PARENTHESISED = /\((\p{Lu}[\p{Lu}\p{N}&-]{1,9})s?\)/gu
/** Words looked at before the bracket: one for each letter, and as many function words between. */
const WORDS_PER_LETTER = 2

export function acronymsIn(text: string): Acronym[] {
  const found: Acronym[] = []
  for (const match of text.matchAll(PARENTHESISED)) {
    const short = match[1] ?? ''
    const letters = Array.from(short.toLowerCase()).filter((letter) => /\p{L}/u.test(letter))
    const before = text.slice(Math.max(0, match.index - MAX_LONG_FORM_CHARS), match.index)
    const words = [...before.matchAll(/[\p{L}\p{N}'’]+/gu)].slice(-letters.length * WORDS_PER_LETTER)
    const from = longFormStart(letters, words)
    if (from !== null) found.push({ short, long: before.slice(from).trim() })
  }
  return found
}

const MAX_LONG_FORM_CHARS = 120

/** From the last letter back: each must open a word, function words may be passed over. */
function longFormStart(letters: readonly string[], words: readonly RegExpExecArray[]): number | null {
  let at = words.length - 1
  for (let letter = letters.length - 1; letter >= 0; letter -= 1) {
    while (at >= 0 && words[at]?.[0][0]?.toLowerCase() !== letters[letter]) {
      // A content word that no letter stands for: this is no long form.
      if (readTerms(words[at]?.[0] ?? '')[0]?.stop !== true) return null
      at -= 1
    }
    if (at < 0) return null
    if (letter === 0) return words[at]?.index ?? null
    at -= 1
  }
  return null
}

/**
 * Feedback terms: what the best passages have in common and the rest of the index has not (a light form of Rocchio's
 * method, as in Manning, Raghavan, Schütze, "Introduction to information retrieval", 9.1). Names terms of the index
 * whose frequencies are wanted; `weighFeedback` then weighs them.
 */
export function feedbackCandidates(question: Question, passages: readonly StoredPassage[]): Map<string, number> {
  const held = new Map<string, number>()
  for (const passage of passages.slice(0, FEEDBACK_PASSAGES)) {
    const asked = new Set(questionIn(question, passage.language).terms.map((term) => term.stem))
    const kind = inflectedPrefix(passage.language ?? '')
    const stems = new Set(
      readTerms(passage.text, passage.language)
        .filter((word) => !word.stop && word.surface.length > 2)
        .map((word) => word.stem),
    )
    for (const stem of stems) if (!asked.has(stem)) held.set(kind + stem, (held.get(kind + stem) ?? 0) + 1)
  }
  // Each is counted in the index: those that most of them hold are enough.
  const common = [...held].filter(([, count]) => count > 1).toSorted((a, b) => b[1] - a[1])
  return new Map(common.slice(0, FEEDBACK_CANDIDATES))
}

export function weighFeedback(candidates: ReadonlyMap<string, number>, statistics: TermFrequencies): QueryTerm[] {
  return [...candidates]
    .map(([term, count]) => ({ term, worth: count * idfOf(statistics.frequencies.get(term) ?? 0, statistics.total) }))
    .toSorted((a, b) => b.worth - a.worth || (a.term < b.term ? -1 : 1))
    .slice(0, FEEDBACK_TERMS)
    .map(({ term }) => ({ term, weight: FEEDBACK_WEIGHT }))
}

const FEEDBACK_PASSAGES = 5
const FEEDBACK_CANDIDATES = 60
const FEEDBACK_TERMS = 10
const FEEDBACK_WEIGHT = 0.15

function weighed(text: string, weight: number): QueryTerm[] {
  return queryTerms(text).map((term) => ({ term: term.term, weight: term.weight * weight }))
}
