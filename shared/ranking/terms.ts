import { isByBeginning, readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'
import type { QueryTerm } from './search-index.ts'

/**
 * The terms of the inverted index. A word is indexed twice: as `s:` its stem and as `w:` its surface, so that `books`
 * finds `booking` but finds `books` first. A text known to be in another language than English has `p:`, the beginnings
 * of its words, in place of Porter's stems. Function words are indexed by their surface alone.
 */
export interface IndexTerms {
  /** Term -> weighted number of times: a title counts TITLE_WEIGHT, headings HEADING_WEIGHT, a table's header HEADER_WEIGHT. */
  readonly terms: ReadonlyMap<string, number>
  /** Length of the passage in words that are not function words, the title's and headings' share included. */
  readonly length: number
}

export interface IndexedText {
  readonly text: string
  readonly title: string
  readonly headings: readonly string[]
  readonly header: string
  /** ISO 639-1, '' when unknown. */
  readonly language?: string
}

export const STEM = 's:'
export const SURFACE = 'w:'
export const PREFIX = 'p:'

/** A weighted frequency before saturation, which is how BM25F treats fields (Robertson, Zaragoza, Taylor, CIKM 2004). */
const TITLE_WEIGHT = 0.6
const HEADING_WEIGHT = 0.8
const HEADER_WEIGHT = 0.5
/** Longer words are data; an index of them serves nobody. */
const MAX_TERM_CHARS = 64

export function indexTerms(input: IndexedText): IndexTerms {
  const terms = new Map<string, number>()
  let length = 0
  const add = (text: string, weight: number): void => {
    if (text === '') return
    const language = input.language ?? ''
    const inflected = inflectedPrefix(language)
    for (const word of readTerms(text, language)) {
      if (word.surface.length > MAX_TERM_CHARS) continue
      count(terms, SURFACE + word.surface, weight)
      if (word.stop) continue
      count(terms, inflected + word.stem, weight)
      length += weight
    }
  }
  add(input.text, 1)
  add(input.title, TITLE_WEIGHT)
  add(input.headings.join('\n'), HEADING_WEIGHT)
  add(input.header, HEADER_WEIGHT)
  return { terms, length }
}

export function inflectedPrefix(language: string): string {
  return isByBeginning(language) ? PREFIX : STEM
}

function count(terms: Map<string, number>, term: string, weight: number): void {
  terms.set(term, (terms.get(term) ?? 0) + weight)
}

export interface QueryOptions {
  /** Languages of what is searched, where known: others than English are also asked for by the beginnings of words. */
  readonly languages?: readonly string[]
}

/** Share of the exact form beside its stem. */
const SURFACE_WEIGHT = 0.25
const MAX_QUERY_WORDS = 64

/** What to look up for a question: each word's stem and its exact form. Function words only when there is nothing else. */
export function queryTerms(question: string, options: QueryOptions = {}): readonly QueryTerm[] {
  return termsOfWords(questionWords(question), options)
}

export function termsOfWords(all: readonly RankWord[], options: QueryOptions = {}): readonly QueryTerm[] {
  const kinds = kindsAmong(all)
  const words = contentOf(all)
  const foreign = options.languages?.some(isByBeginning) ?? false
  const weights = new Map<string, number>()
  for (const word of words) {
    const weight = kinds.has(word) ? KIND_WEIGHT : 1
    if (!word.stop) weights.set(STEM + word.stem, weight)
    weights.set(SURFACE + word.surface, word.stop ? 1 : SURFACE_WEIGHT * weight)
    if (!word.stop && (foreign || !ASCII.test(word.surface))) weights.set(PREFIX + prefixTerm(word), weight)
  }
  return [...weights].map(([term, weight]) => ({ term, weight }))
}

const ASCII = /^[\u0020-\u007e]*$/

export function prefixTerm(word: Pick<RankWord, 'surface'>): string {
  return readTerms(word.surface, 'xx')[0]?.stem ?? word.surface
}

export function questionWords(question: string, language?: string): readonly RankWord[] {
  return readTerms(question, language).slice(0, MAX_QUERY_WORDS)
}

/** The words a question is about; all of its words when it has only function words. */
export function contentOf(words: readonly RankWord[]): readonly RankWord[] {
  const content = words.filter((word) => !word.stop)
  return content.length > 0 ? content : words
}

/** `what year`, `which city`, `how long`: the word names the answer and need not stand beside it. */
export const KIND_WEIGHT = 0.35
const KINDS = new Set(
  `year month date day time name type kind sort term word number amount percentage percent size age length distance height
  city country state person people group place location organization company part thing reason way example role title
  long far old often tall big large high deep fast soon late early wide heavy expensive hot cold good many much`
    .split(/\s+/)
    .filter((word) => word !== ''),
)

/** Those of a question's words that only say what kind of answer is wanted. */
export function kindsAmong(words: readonly RankWord[]): ReadonlySet<RankWord> {
  return new Set(
    words.filter(
      (word, at) => KINDS.has(word.surface) && /^(?:what|which|how|whose)$/.test(words[at - 1]?.surface ?? ''),
    ),
  )
}
