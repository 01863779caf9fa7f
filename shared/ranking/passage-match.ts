import { questionIn } from './question.ts'
import type { Question, QuestionTerm } from './question.ts'
import type { ReadableText, SentenceRead } from './read-passage.ts'
import { readPassage } from './read-passage.ts'
import type { RankWord } from './read-terms.ts'
import { nearest, placesOf } from './term-places.ts'
import type { TermPlaces } from './term-places.ts'

/** How a passage's words meet a question's, each as a share of the question between 0 and 1. */
export interface PassageMatch {
  /** Idf-weighted share of the question's terms in the text. */
  readonly text: number
  /** The same in text, title and headings together. */
  readonly all: number
  /** The same in the title and headings alone. */
  readonly heading: number
  /** The same in the best sentence, helped by those beside it and by the title. */
  readonly window: number
  /** Neighbours of the question that are near each other here. */
  readonly proximity: number
  /** The longest run of the question's words that stands here as it was asked. */
  readonly phrase: number
  /** Share of the question's numbers and codes; 1 when it has none. */
  readonly numbers: number
}

/** Words further apart than this are not near. */
const NEAR_WORDS = 8
const MIN_PHRASE_WORDS = 2
const MAX_PHRASE_WORDS = 6
const STOP_IN_PHRASE = 0.3
/** What a word in the sentence beside, or in a heading, is worth to a sentence. */
const BESIDE = 0.6

export function matchPassage(asked: Question, passage: ReadableText): PassageMatch {
  const question = questionIn(asked, passage.language)
  const { words, sentences, around } = readPassage(passage)
  const places = placesOf(question, words)
  const inText = (term: QuestionTerm): number => places.get(term.stem)?.credit ?? 0
  const inHeading = (term: QuestionTerm): number => (around.has(term.stem) ? 1 : 0)
  const numeric = question.terms.filter((term) => term.numeric)
  return {
    text: shareOf(question, inText),
    all: shareOf(question, (term) => Math.max(inText(term), inHeading(term))),
    heading: shareOf(question, inHeading),
    window: bestWindow(question, sentences, places, around),
    proximity: proximityOf(question, places),
    phrase: question.phrases.some((phrase) => runs(words, phrase)) ? 1 : longestRun(question, words),
    numbers: numeric.length === 0 ? 1 : numeric.filter((term) => places.has(term.stem)).length / numeric.length,
  }
}

/** Idf-weighted share of a question's terms, each counted by its credit between 0 and 1. */
export function shareOf(question: Question, credit: (term: QuestionTerm) => number): number {
  if (question.weight === 0) return 0
  let held = 0
  for (const term of question.terms) held += term.weight * credit(term)
  return Math.min(1, held / question.weight)
}

function bestWindow(
  question: Question,
  sentences: readonly SentenceRead[],
  places: ReadonlyMap<string, TermPlaces>,
  around: ReadonlySet<string>,
): number {
  const held = sentencesHolding(sentences, places)
  let best = 0
  for (let at = 0; at < sentences.length; at += 1) {
    const share = shareOf(question, (term) => {
      const credit = places.get(term.stem)?.credit ?? 0
      const inside = held.get(term.stem)
      if (inside?.has(at) === true) return credit
      if (around.has(term.stem) || sentences[at]?.under.has(term.stem) === true) return BESIDE
      return inside !== undefined && (inside.has(at - 1) || inside.has(at + 1)) ? credit * BESIDE : 0
    })
    best = Math.max(best, share)
  }
  return best
}

/** Stem -> numbers of the sentences it stands in. */
export function sentencesHolding(
  sentences: readonly SentenceRead[],
  places: ReadonlyMap<string, TermPlaces>,
): ReadonlyMap<string, ReadonlySet<number>> {
  const held = new Map<string, Set<number>>()
  for (const [stem, { at }] of places) {
    const inside = new Set<number>()
    let sentence = 0
    for (const place of at) {
      while (sentence < sentences.length - 1 && place >= (sentences[sentence]?.to ?? 0)) sentence += 1
      inside.add(sentence)
    }
    held.set(stem, inside)
  }
  return held
}

/** After Rasolofo and Savoy, "Term proximity scoring for keyword-based retrieval systems" (ECIR 2003): pairs by 1/distance. */
function proximityOf(question: Question, places: ReadonlyMap<string, TermPlaces>): number {
  let sum = 0
  let total = 0
  for (let i = 0; i + 1 < question.terms.length; i += 1) {
    const one = question.terms[i]
    const other = question.terms[i + 1]
    if (one === undefined || other === undefined) continue
    const weight = Math.min(one.weight, other.weight)
    total += weight
    const distance = nearest(places.get(one.stem)?.at ?? [], places.get(other.stem)?.at ?? [])
    if (distance <= NEAR_WORDS) sum += weight / Math.sqrt(distance)
  }
  return total === 0 ? 0 : sum / total
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
  for (let at = 0; at < words.length; at += 1)
    for (const from of starts.get(words[at]?.surface ?? '') ?? [])
      best = Math.max(best, runLength(asked, from, words, at))
  const most = Math.min(MAX_PHRASE_WORDS, Math.max(MIN_PHRASE_WORDS, question.terms.length))
  return Math.min(1, best / most)
}

function runLength(asked: readonly RankWord[], from: number, words: readonly RankWord[], at: number): number {
  let length = 0
  let content = 0
  while (length < MAX_PHRASE_WORDS) {
    const word = words[at + length]
    const other = asked[from + length]
    if (word === undefined || other === undefined || word.surface !== other.surface) break
    if (!other.stop) content += 1
    length += 1
  }
  return length < MIN_PHRASE_WORDS || content === 0 ? 0 : content + (length - content) * STOP_IN_PHRASE
}

function runs(words: readonly RankWord[], phrase: readonly string[]): boolean {
  if (phrase.length === 0) return false
  return words.some((_, at) => phrase.every((stem, offset) => words[at + offset]?.stem === stem))
}
