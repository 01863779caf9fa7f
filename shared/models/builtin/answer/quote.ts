import type { Passage } from '../../passages.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import { GENERIC, readWords } from '#shared/text/words.ts'
import { splitSentences } from '#shared/text/sentences.ts'

/**
 * Answers by quoting: the sentences of the supplied passages that say most of what was asked, each with its mark.
 * Sentences are ranked by BM25 over all supplied sentences, helped by their passage's title and by the kind of answer
 * the question word wants. When too little of the question is covered, there is no answer.
 */
export interface Quote {
  readonly mark: number
  readonly text: string
}

export interface Quoted {
  readonly quotes: readonly Quote[]
  /** Share of the question's weight that the best sentence, with its title and neighbours, covers. */
  readonly coverage: number
}

/** Below this the documents do not hold the answer. */
export const MIN_COVERAGE = 0.45
const MAX_QUOTES = 3
const MAX_RANKED_SENTENCES = 600
const MAX_QUOTE_CHARS = 600
const K1 = 1.2
const B = 0.75
/** Further quotes must score this share of the best and be this different from what is already quoted. */
const NEXT_SHARE = 0.7
const MAX_OVERLAP = 0.6
const PASSAGE_WEIGHT = 0.5
const TITLE_WEIGHT = 0.6
const SYNONYM_WEIGHT = 0.5

interface Candidate {
  readonly mark: number
  readonly text: string
  readonly terms: ReadonlyMap<string, number>
  readonly length: number
  readonly around: ReadonlySet<string>
  readonly title: ReadonlySet<string>
}

export function quoteFrom(question: string, passages: readonly Passage[]): Quoted {
  const query = questionTerms(question)
  const candidates = passages.flatMap(candidatesOf).slice(0, MAX_RANKED_SENTENCES)
  if (query.size === 0 || candidates.length === 0) return { quotes: [], coverage: 0 }
  const weights = new Map<string, number>()
  for (const term of query) {
    const holders = candidates.filter((candidate) => candidate.terms.has(term)).length
    weights.set(
      term,
      Math.log(1 + (candidates.length - holders + 0.5) / (holders + 0.5)) * (GENERIC.has(term) ? 0.4 : 1),
    )
  }
  const average = candidates.reduce((sum, candidate) => sum + candidate.length, 0) / candidates.length
  const wanted = wantedKind(question)
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      score: score(candidate, weights, average) * (wanted.test(candidate.text) ? 1.15 : 1),
    }))
    .filter((one) => one.score > 0)
    .toSorted((a, b) => b.score - a.score)
  const best = ranked[0]
  if (best === undefined) return { quotes: [], coverage: 0 }
  const coverage = coverageOf(best.candidate, weights)
  if (coverage < MIN_COVERAGE) return { quotes: [], coverage }
  const chosen: Candidate[] = []
  for (const { candidate, score: worth } of ranked) {
    if (chosen.length >= MAX_QUOTES || worth < best.score * NEXT_SHARE) break
    if (chosen.some((other) => overlap(candidate, other) > MAX_OVERLAP)) continue
    chosen.push(candidate)
  }
  return { quotes: chosen.map(({ mark, text }) => ({ mark, text: text.slice(0, MAX_QUOTE_CHARS) })), coverage }
}

function questionTerms(question: string): Set<string> {
  const terms = new Set<string>()
  const words = readWords(question)
  for (const [at, word] of words.entries()) {
    // In `how long does delivery take` the long asks for a number and need not stand in the answer.
    const measure = words[at - 1]?.lower === 'how' && MEASURES.has(word.lower)
    if (!word.stop && !measure) terms.add(word.stem)
  }
  return terms
}

const MEASURES = new Set(
  'long far old often tall big large high deep fast soon late early wide heavy expensive hot cold good'.split(' '),
)

function candidatesOf(passage: Passage): Candidate[] {
  const around = new Set(stems(passage.text))
  const title = new Set(stems(passage.title))
  return splitSentences(passage.text).map((sentence) => {
    const terms = new Map<string, number>()
    const words = stems(sentence.text)
    for (const word of words) terms.set(word, (terms.get(word) ?? 0) + 1)
    return { mark: passage.mark, text: sentence.text, terms, length: words.length, around, title }
  })
}

function stems(text: string): string[] {
  return readWords(text)
    .filter((word) => !word.stop)
    .map((word) => word.stem)
}

function score(candidate: Candidate, weights: ReadonlyMap<string, number>, average: number): number {
  let sum = 0
  const norm = K1 * (1 - B + (B * candidate.length) / average)
  for (const [term, weight] of weights) {
    const tf = frequency(candidate.terms, term)
    if (tf > 0) sum += (weight * tf * (K1 + 1)) / (tf + norm)
    else if (candidate.title.has(term)) sum += weight * TITLE_WEIGHT
  }
  return sum
}

function frequency(terms: ReadonlyMap<string, number>, term: string): number {
  const exact = terms.get(term)
  if (exact !== undefined) return exact
  for (const synonym of synonymsOf(term)) if (terms.has(synonym)) return SYNONYM_WEIGHT
  return 0
}

function coverageOf(candidate: Candidate, weights: ReadonlyMap<string, number>): number {
  let covered = 0
  let total = 0
  for (const [term, weight] of weights) {
    total += weight
    if (candidate.terms.has(term)) covered += weight
    else if (candidate.title.has(term)) covered += weight
    else if (frequency(candidate.terms, term) > 0 || candidate.around.has(term)) covered += weight * PASSAGE_WEIGHT
  }
  return total === 0 ? 0 : covered / total
}

function overlap(one: Candidate, other: Candidate): number {
  let shared = 0
  for (const term of one.terms.keys()) if (other.terms.has(term)) shared += 1
  return shared / Math.max(1, Math.min(one.terms.size, other.terms.size))
}

/** What an answer to this kind of question holds. */
function wantedKind(question: string): RegExp {
  if (/\bhow (?:much|many|long|far|old|often|tall|big)\b|\bwhat (?:percentage|number|price|cost)\b/i.test(question))
    return /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million)\b/i
  if (/\bwhen\b|\bwhat (?:year|date|day|time)\b/i.test(question))
    return /\b\d{4}\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b|\d+ (?:days?|hours?|weeks?|months?)/i
  if (/\bwho(?:m|se)?\b/i.test(question)) return /\p{Lu}\p{L}+ \p{Lu}\p{L}+/u
  if (/\bwhere\b/i.test(question)) return /\b(?:in|at|near|on) (?:the )?\p{Lu}/u
  return /$^/
}
