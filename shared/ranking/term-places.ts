import { synonymsOf } from '#shared/text/synonyms.ts'

import { isNearWord } from './near-words.ts'
import type { Question, QuestionTerm } from './question.ts'
import type { RankWord } from './read-terms.ts'

/** Where a question's terms stand among words. */
export interface TermPlaces {
  /** By stem, ascending. */
  readonly at: readonly number[]
  /** 1 for the word itself, less for what stands in for it. */
  readonly credit: number
}

/**
 * What stands for a word that is not there: its misspelling (looked for when it stands nowhere in the index), a word of the
 * same beginning, a word people use for it. Each counts less than the word.
 */
const MISSPELT_CREDIT = 0.8
const DERIVED_CREDIT = 0.5
const SYNONYM_CREDIT = 0.3
const MIN_ROOT_CHARS = 5
const MAX_SUFFIX_CHARS = 3

export function placesOf(question: Question, words: readonly RankWord[]): ReadonlyMap<string, TermPlaces> {
  const places = new Map<string, { at: number[]; credit: number }>()
  const wanted = new Set(question.terms.map((term) => term.stem))
  for (const [at, word] of words.entries()) {
    if (!wanted.has(word.stem)) continue
    const list = places.get(word.stem)
    if (list === undefined) places.set(word.stem, { at: [at], credit: 1 })
    else list.at.push(at)
  }
  for (const term of question.terms) {
    if (places.has(term.stem)) continue
    const akin = kinOf(term, words)
    if (akin !== null) places.set(term.stem, akin)
  }
  return places
}

function kinOf(term: QuestionTerm, words: readonly RankWord[]): { at: number[]; credit: number } | null {
  if (term.numeric) return null
  const find = (fits: (word: RankWord) => boolean, credit: number): { at: number[]; credit: number } | null => {
    const at: number[] = []
    for (const [place, word] of words.entries()) if (!word.stop && fits(word)) at.push(place)
    return at.length === 0 ? null : { at, credit }
  }
  if (term.frequency === 0) {
    const misspelt = find((word) => isNearWord(term.surface, word.surface), MISSPELT_CREDIT)
    if (misspelt !== null) return misspelt
  }
  if (term.surface.length >= MIN_ROOT_CHARS) {
    const root = term.stem.slice(0, Math.max(MIN_ROOT_CHARS, term.stem.length - MAX_SUFFIX_CHARS))
    const derived = find(
      ({ stem }) => stem.startsWith(root) && stem.length - root.length <= MAX_SUFFIX_CHARS,
      DERIVED_CREDIT,
    )
    if (derived !== null) return derived
  }
  const synonyms = synonymsOf(term.stem)
  return synonyms.size === 0 ? null : find((word) => synonyms.has(word.stem), SYNONYM_CREDIT)
}

/** The least distance between two ascending lists of places, at least 1. */
export function nearest(one: readonly number[], other: readonly number[]): number {
  let best = Infinity
  let i = 0
  let j = 0
  while (i < one.length && j < other.length) {
    const a = one[i] ?? 0
    const b = other[j] ?? 0
    best = Math.min(best, Math.abs(a - b))
    if (a < b) i += 1
    else j += 1
  }
  return Math.max(1, best)
}
