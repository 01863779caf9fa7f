import { idfOf } from './bm25.ts'
import { isByBeginning, readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'
import { KIND_WEIGHT, PREFIX, STEM, SURFACE, contentOf, kindsAmong, prefixTerm, questionWords } from './terms.ts'

/** A question taken apart once, weighed by how rare its words are where it is asked. */
export interface Question {
  readonly text: string
  /** Every word, function words too, in order: for phrases. */
  readonly words: readonly RankWord[]
  /** Distinct words that carry it, by stem, in order. */
  readonly terms: readonly QuestionTerm[]
  /** Sum of the terms' weights. */
  readonly weight: number
  /** What was put in quotation marks, as stems. */
  readonly phrases: readonly (readonly string[])[]
}

export interface QuestionTerm {
  readonly stem: string
  readonly surface: string
  /** Idf, lowered for words that only say what kind of answer is wanted. */
  readonly weight: number
  readonly idf: number
  /** Passages that hold it; null when no index was asked. */
  readonly frequency: number | null
  /** Holds a digit: a year, an amount, a code. */
  readonly numeric: boolean
  /** Written with a capital inside the question: most likely a name. */
  readonly name: boolean
}

export interface TermStatistics {
  readonly frequencies: ReadonlyMap<string, number>
  readonly total: number
}

const QUOTED = /["“„«]([^"“”„«»]{2,200})["”“»]/g
export function readQuestion(text: string, statistics: TermStatistics | null): Question {
  const words = questionWords(text)
  const content = new Set(contentOf(words))
  const kinds = kindsAmong(words)
  const terms = new Map<string, QuestionTerm>()
  for (const [at, word] of words.entries()) {
    if (!content.has(word) || terms.has(word.stem)) continue
    const frequency = statistics === null ? null : frequencyOf(word, statistics)
    const idf = statistics === null || frequency === null ? 1 : idfOf(frequency, statistics.total)
    terms.set(word.stem, {
      stem: word.stem,
      surface: word.surface,
      weight: idf * (kinds.has(word) ? KIND_WEIGHT : 1),
      idf,
      frequency,
      numeric: /\d/.test(word.surface),
      name: at > 0 && /^\p{Lu}/u.test(text.slice(word.start, word.end)),
    })
  }
  const listed = [...terms.values()]
  return {
    text,
    words,
    terms: listed,
    weight: listed.reduce((sum, term) => sum + term.weight, 0),
    phrases: phrasesOf(text),
  }
}

const inLanguages = new WeakMap<Question, Map<string, Question>>()

/** The question as it is compared with a text of this language: told by the same stems, without its function words. */
export function questionIn(question: Question, language = ''): Question {
  if (!isByBeginning(language)) return question
  const known = inLanguages.get(question) ?? new Map<string, Question>()
  inLanguages.set(question, known)
  const before = known.get(language)
  if (before !== undefined) return before
  const words = questionWords(question.text, language)
  const content = new Map(contentOf(words).map((word) => [word.surface, word]))
  const terms = new Map<string, QuestionTerm>()
  for (const term of question.terms) {
    const word = content.get(term.surface)
    if (word !== undefined && !terms.has(word.stem)) terms.set(word.stem, { ...term, stem: word.stem })
  }
  const listed = [...terms.values()]
  const weight = listed.reduce((sum, term) => sum + term.weight, 0)
  const read: Question = { ...question, words, terms: listed, weight, phrases: phrasesOf(question.text, language) }
  known.set(language, read)
  return read
}

function phrasesOf(text: string, language?: string): readonly (readonly string[])[] {
  return [...text.matchAll(QUOTED)].map((match) => readTerms(match[1] ?? '', language).map((word) => word.stem))
}

/** A word stands as often as its stem does, whatever the language its passages are in. */
function frequencyOf(word: RankWord, { frequencies }: TermStatistics): number {
  return Math.max(
    frequencies.get(STEM + word.stem) ?? 0,
    frequencies.get(SURFACE + word.surface) ?? 0,
    frequencies.get(PREFIX + prefixTerm(word)) ?? 0,
  )
}
