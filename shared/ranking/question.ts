import { idfOf } from './bm25.ts'
import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'
import { KIND_WEIGHT, PREFIX, STEM, SURFACE, contentOf, kindsAmong, questionWords } from './terms.ts'

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
    phrases: [...text.matchAll(QUOTED)].map((match) => readTerms(match[1] ?? '').map((word) => word.stem)),
  }
}

/** A word stands as often as its stem does, whatever the language its passages are in. */
function frequencyOf(word: RankWord, { frequencies }: TermStatistics): number {
  return Math.max(
    frequencies.get(STEM + word.stem) ?? 0,
    frequencies.get(SURFACE + word.surface) ?? 0,
    frequencies.get(PREFIX + word.stem) ?? 0,
  )
}
