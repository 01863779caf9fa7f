import { coverageOf, MIN_COVERAGE, MIN_COVERAGE_ALONE } from './coverage.ts'
import { matchPassage } from './passage-match.ts'
import { readQuestion } from './question.ts'
import type { Question, TermStatistics } from './question.ts'
import { readPassage } from './read-passage.ts'
import type { ReadableText } from './read-passage.ts'
import { scoreOfMatch } from './rerank.ts'
import { matchSentences } from './sentence-match.ts'
import type { MatchedSentence, SentenceMatch } from './sentence-match.ts'
import { PREFIX, STEM, SURFACE, inflectedPrefix, prefixTerm } from './terms.ts'

/**
 * Answers by quoting: the sentences of some passages that say most of what was asked. When the passages cover too little
 * of the question there is no answer, and the nearest is not put forward as one.
 */
export interface Quoted<P> {
  /** Best first; none when the question is not covered. */
  readonly quotes: readonly Quote<P>[]
  /** See `coverageOf`. */
  readonly coverage: number
  /** Whether the passages hold an answer at all. */
  readonly covered: boolean
}

export interface Quote<P> {
  readonly passage: P
  /** In the text the passage was cut from: `canonical.slice(start, end) === text`. */
  readonly start: number
  readonly end: number
  readonly text: string
  readonly score: number
}

export interface QuotablePassage extends ReadableText {
  /** Where `text` begins in its document; 0 when not given. */
  readonly start?: number
  /** How well it ranks among these; worked out when not given. */
  readonly score?: number
}

export interface QuoteOptions {
  readonly most?: number
  readonly minCoverage?: number
}

const MAX_QUOTES = 4
const MAX_QUOTE_CHARS = 600
const MAX_RANKED_SENTENCES = 600
/** A further quote must meet the question in this share of what the best does, and be this different from what is already quoted. */
const NEXT_SHARE = 0.5
const MAX_OVERLAP = 0.7

/** What each way of meeting the question counts for a sentence. Set on the even rows of XQuAD. */
const SENTENCE_WEIGHTS = {
  own: 1,
  around: 0.7,
  beside: 0.3,
  far: -0.2,
  proximity: 0.3,
  kind: 0.4,
  empty: -0.5,
  lead: 0.4,
  long: 0,
} as const satisfies Record<keyof SentenceMatch, number>
const PASSAGE_WEIGHT = 1.2

/**
 * `question` as `search` gave it back is weighed by the whole index; as plain text it is weighed by the sentences of the
 * passages, which is all there is to know then.
 */
export function quoteFrom<P extends QuotablePassage>(
  question: string | Question,
  passages: readonly P[],
  options: QuoteOptions = {},
): Quoted<P> {
  const alone = typeof question === 'string'
  const { most = MAX_QUOTES, minCoverage = alone ? MIN_COVERAGE_ALONE : MIN_COVERAGE } = options
  const asked = alone ? readQuestion(question, statisticsOf(question, passages)) : question
  const matched = passages.map((passage) => ({ passage, match: matchPassage(asked, passage) }))
  const byMatch = matched.toSorted((a, b) => scoreOfMatch(b.match) - scoreOfMatch(a.match))
  const coverage = coverageOf(byMatch)
  if (asked.terms.length === 0 || coverage < minCoverage || coverage === 0)
    return { quotes: [], coverage, covered: false }
  const worth = matched.map(({ passage, match }) => passage.score ?? scoreOfMatch(match))
  const best = Math.max(...worth, Number.MIN_VALUE)
  const ranked = matched
    .flatMap(({ passage }, at) => candidates(asked, passage, (worth[at] ?? 0) / best))
    .slice(0, MAX_RANKED_SENTENCES)
    .toSorted((a, b) => b.score - a.score)
  const quotes = choose(ranked, most)
  return { quotes, coverage, covered: quotes.length > 0 }
}

interface Candidate<P> extends MatchedSentence {
  readonly passage: P
  /** By the sentence alone. */
  readonly meets: number
  /** With its passage's worth. */
  readonly score: number
}

function candidates<P extends QuotablePassage>(question: Question, passage: P, worth: number): Candidate<P>[] {
  return matchSentences(question, passage).flatMap((one) => {
    if (one.sentence.heading) return []
    if (one.match.own === 0 && one.match.around === 0 && one.match.beside === 0) return []
    let meets = 0
    for (const [feature, weight] of Object.entries(SENTENCE_WEIGHTS))
      meets += weight * one.match[feature as keyof SentenceMatch]
    return [{ ...one, passage, meets, score: meets + PASSAGE_WEIGHT * worth }]
  })
}

function choose<P extends QuotablePassage>(ranked: readonly Candidate<P>[], most: number): Quote<P>[] {
  const chosen: { quote: Quote<P>; words: ReadonlySet<string> }[] = []
  const floor = (ranked[0]?.meets ?? 0) * NEXT_SHARE
  // Of a table, the rows that hold a word of the question; all that fit only where none does.
  const named = ranked.some(({ sentence, match }) => sentence.row && match.own > 0)
  for (const { passage, sentence, match, score, meets } of ranked) {
    if (chosen.length >= most) break
    if (meets < floor || (named && sentence.row && match.own === 0)) continue
    const words = new Set(
      readPassage(passage)
        .words.slice(sentence.from, sentence.to)
        .map((word) => word.surface),
    )
    if (chosen.some((other) => overlap(words, other.words) > MAX_OVERLAP)) continue
    const text = cut(sentence.text)
    const start = (passage.start ?? 0) + sentence.start
    chosen.push({ quote: { passage, start, end: start + text.length, text, score }, words })
  }
  return chosen.map(({ quote }) => quote)
}

/** A very long sentence is quoted up to a word's end. */
function cut(text: string): string {
  if (text.length <= MAX_QUOTE_CHARS) return text
  const space = text.lastIndexOf(' ', MAX_QUOTE_CHARS)
  return text.slice(0, space > MAX_QUOTE_CHARS / 2 ? space : MAX_QUOTE_CHARS).trimEnd()
}

function overlap(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0
  for (const word of one) if (other.has(word)) shared += 1
  return shared / Math.max(1, Math.min(one.size, other.size))
}

function statisticsOf(question: string, passages: readonly QuotablePassage[]): TermStatistics {
  const frequencies = new Map<string, number>()
  for (const word of readQuestion(question, null).terms) {
    frequencies.set(STEM + word.stem, 0)
    frequencies.set(PREFIX + prefixTerm(word), 0)
    frequencies.set(SURFACE + word.surface, 0)
  }
  let total = 0
  for (const passage of passages) {
    const { words, sentences } = readPassage(passage)
    const kind = inflectedPrefix(passage.language ?? '')
    total += sentences.length
    for (const { from, to } of sentences) {
      const held = new Set(words.slice(from, to).flatMap((word) => [kind + word.stem, SURFACE + word.surface]))
      for (const term of held) {
        const count = frequencies.get(term)
        if (count !== undefined) frequencies.set(term, count + 1)
      }
    }
  }
  return { frequencies, total }
}
