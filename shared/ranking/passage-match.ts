import { splitSentences } from '#shared/text/sentences.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'

import { isNearWord } from './near-words.ts'
import type { Question, QuestionTerm } from './question.ts'
import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'

/** How a passage's words meet a question's, each as a share of the question between 0 and 1. */
export interface PassageMatch {
  /** Idf-weighted share of the question's terms in the text. */
  readonly text: number
  /** The same in text, title and headings together. */
  readonly all: number
  /** The same in the title and headings alone. */
  readonly heading: number
  /** The same in the best window of WINDOW_SENTENCES sentences. */
  readonly window: number
  /** Neighbours of the question that are near each other here. */
  readonly proximity: number
  /** The longest run of the question's words that stands here as it was asked. */
  readonly phrase: number
  /** Share of the question's numbers and codes; 1 when it has none. */
  readonly numbers: number
  /** Share of the terms that stand here exactly as asked. */
  readonly exact: number
}

export interface MatchedText {
  readonly text: string
  readonly title: string
  readonly headings: readonly string[]
  readonly language: string
}

const WINDOW_SENTENCES = 2
/** Words further apart than this are not near. */
const NEAR_WORDS = 8
const MIN_PHRASE_WORDS = 2
const MAX_PHRASE_WORDS = 6

export function matchPassage(question: Question, passage: MatchedText): PassageMatch {
  const words = readTerms(passage.text, passage.language)
  const around = new Set(readTerms([passage.title, ...passage.headings].join('\n')).map((word) => word.stem))
  const places = new Map<string, number[]>()
  const credits = new Map<string, number>()
  const wanted = new Set(question.terms.map((term) => term.stem))
  const surfaces = new Set<string>()
  for (const [at, word] of words.entries()) {
    if (!wanted.has(word.stem)) continue
    surfaces.add(word.surface)
    const list = places.get(word.stem)
    if (list === undefined) places.set(word.stem, [at])
    else list.push(at)
  }
  for (const term of question.terms) {
    if (places.has(term.stem)) continue
    const akin = kinOf(term, words)
    if (akin === null) continue
    places.set(term.stem, akin.at)
    credits.set(term.stem, akin.credit)
  }
  const share = (credit: (stem: string) => number): number => shareOf(question, (term) => credit(term.stem))
  const inText = (stem: string): number => credits.get(stem) ?? (places.has(stem) ? 1 : 0)
  const numeric = question.terms.filter((term) => term.numeric)
  const quoted = question.phrases.filter((phrase) => runs(words, phrase))
  return {
    text: share(inText),
    all: share((stem) => (around.has(stem) ? 1 : inText(stem))),
    heading: share((stem) => (around.has(stem) ? 1 : 0)),
    window: bestWindow(question, passage.text, words, places, credits, around),
    proximity: proximityOf(question, places),
    phrase: quoted.length > 0 ? 1 : longestRun(question, words),
    numbers: numeric.length === 0 ? 1 : numeric.filter((term) => places.has(term.stem)).length / numeric.length,
    exact: shareOf(question, (term) => (surfaces.has(term.surface) ? 1 : 0)),
  }
}

/**
 * What stands for a word that is not there: its misspelling (looked for when it stands nowhere in the index), a word of the
 * same beginning, a word people use for it. Each counts less than the word.
 */
function kinOf(term: QuestionTerm, words: readonly RankWord[]): { at: number[]; credit: number } | null {
  if (term.numeric) return null
  const misspelt = term.frequency === 0 ? placesOf(words, (word) => isNearWord(term.surface, word.surface)) : []
  if (misspelt.length > 0) return { at: misspelt, credit: MISSPELT_CREDIT }
  if (term.surface.length >= MIN_ROOT_CHARS) {
    const root = term.stem.slice(0, Math.max(MIN_ROOT_CHARS, term.stem.length - 3))
    const derived = placesOf(words, (word) => word.stem.startsWith(root) && word.stem.length - root.length <= 3)
    if (derived.length > 0) return { at: derived, credit: DERIVED_CREDIT }
  }
  const synonyms = synonymsOf(term.stem)
  if (synonyms.size === 0) return null
  const meant = placesOf(words, (word) => synonyms.has(word.stem))
  return meant.length > 0 ? { at: meant, credit: SYNONYM_CREDIT } : null
}

const MISSPELT_CREDIT = 0.8
const DERIVED_CREDIT = 0.5
const SYNONYM_CREDIT = 0.3
const MIN_ROOT_CHARS = 5

function placesOf(words: readonly RankWord[], fits: (word: RankWord) => boolean): number[] {
  const places: number[] = []
  for (const [at, word] of words.entries()) if (!word.stop && fits(word)) places.push(at)
  return places
}

/** Idf-weighted share of a question's terms, each counted by its credit between 0 and 1. */
export function shareOf(question: Question, credit: (term: QuestionTerm) => number): number {
  if (question.weight === 0) return 0
  let held = 0
  for (const term of question.terms) held += term.weight * credit(term)
  return held / question.weight
}

function bestWindow(
  question: Question,
  text: string,
  words: readonly RankWord[],
  places: ReadonlyMap<string, readonly number[]>,
  credits: ReadonlyMap<string, number>,
  around: ReadonlySet<string>,
): number {
  const sentences = splitSentences(text)
  // In which sentences a term stands.
  const held = new Map<string, Set<number>>()
  for (const [stem, list] of places) {
    const inside = new Set<number>()
    let sentence = 0
    for (const place of list) {
      const at = words[place]?.start ?? 0
      while (sentence < sentences.length - 1 && at >= (sentences[sentence]?.end ?? 0)) sentence += 1
      inside.add(sentence)
    }
    held.set(stem, inside)
  }
  let best = 0
  for (let at = 0; at < sentences.length; at += 1) {
    let weight = 0
    for (const term of question.terms) {
      const inside = held.get(term.stem)
      const full = term.weight * (credits.get(term.stem) ?? 1)
      if (inside?.has(at) === true) weight += full
      else if (around.has(term.stem)) weight += term.weight * NEXT_SENTENCE
      else if (inside !== undefined && hasNear(inside, at)) weight += full * NEXT_SENTENCE
    }
    best = Math.max(best, weight)
  }
  return question.weight === 0 ? 0 : best / question.weight
}

/** What a word in the sentence beside, or in a heading, is worth to a sentence. */
const NEXT_SENTENCE = 0.6

function hasNear(inside: ReadonlySet<number>, at: number): boolean {
  for (let distance = 1; distance < WINDOW_SENTENCES; distance += 1)
    if (inside.has(at - distance) || inside.has(at + distance)) return true
  return false
}

/** After Rasolofo and Savoy, "Term proximity scoring for keyword-based retrieval systems" (ECIR 2003): pairs by 1/distance. */
function proximityOf(question: Question, places: ReadonlyMap<string, readonly number[]>): number {
  let sum = 0
  let total = 0
  for (let i = 0; i + 1 < question.terms.length; i += 1) {
    const one = question.terms[i]
    const other = question.terms[i + 1]
    if (one === undefined || other === undefined) continue
    const weight = Math.min(one.weight, other.weight)
    total += weight
    const distance = nearest(places.get(one.stem) ?? [], places.get(other.stem) ?? [])
    if (distance <= NEAR_WORDS) sum += weight / Math.sqrt(distance)
  }
  return total === 0 ? 0 : sum / total
}

/** The least distance between two ascending lists of places. */
function nearest(one: readonly number[], other: readonly number[]): number {
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

/** Share of the longest run of question words, function words inside it included, that stands here word by word. */
function longestRun(question: Question, words: readonly RankWord[]): number {
  const asked = question.words
  if (asked.length < MIN_PHRASE_WORDS) return 0
  const starts = new Map<string, number[]>()
  for (const [at, word] of asked.entries()) {
    const list = starts.get(word.surface)
    if (list === undefined) starts.set(word.surface, [at])
    else list.push(at)
  }
  let best = 0
  for (let at = 0; at < words.length; at += 1) {
    for (const from of starts.get(words[at]?.surface ?? '') ?? []) {
      let length = 0
      let content = 0
      while (
        length < MAX_PHRASE_WORDS &&
        words[at + length] !== undefined &&
        words[at + length]?.surface === asked[from + length]?.surface
      ) {
        if (asked[from + length]?.stop === false) content += 1
        length += 1
      }
      if (length >= MIN_PHRASE_WORDS && content > 0)
        best = Math.max(best, content + (length - content) * STOP_IN_PHRASE)
    }
  }
  const most = Math.min(MAX_PHRASE_WORDS, Math.max(MIN_PHRASE_WORDS, question.terms.length))
  return Math.min(1, best / most)
}

const STOP_IN_PHRASE = 0.3

function runs(words: readonly RankWord[], phrase: readonly string[]): boolean {
  if (phrase.length === 0) return false
  return words.some((_, at) => phrase.every((stem, offset) => words[at + offset]?.stem === stem))
}
