import { idfOf } from './bm25.ts'
import { coverageOf } from './coverage.ts'
import { diversify } from './diversity.ts'
import { feedbackCandidates, fromAcronyms, fromGlossary, weighFeedback } from './expansion.ts'
import type { Glossary } from './expansion.ts'
import { WEIGHTED, fuse } from './fusion.ts'
import type { Fused, Fusion, Placed } from './fusion.ts'
import type { PassageMatch } from './passage-match.ts'
import { readQuestion } from './question.ts'
import type { Question } from './question.ts'
import { rerank } from './rerank.ts'
import type { Reranked } from './rerank.ts'
import type { KeywordHits, QueryEmbedder, QueryTerm, SearchIndex, StoredPassage } from './search-index.ts'
import { queryTerms } from './terms.ts'

export interface SearchOptions {
  /** Passages returned. */
  readonly limit?: number
  /** Passages asked of each leg. */
  readonly candidates?: number
  /** Of them, how many are read and reranked. */
  readonly reranked?: number
  readonly fusion?: Fusion
  readonly glossary?: Glossary
  /** Languages in the index, where known. */
  readonly languages?: readonly string[]
  /** Below this coverage the question is asked again with more words; 0 never, 1 always. */
  readonly expandBelow?: number
  /** Another judge of the order, as a model: given the question and what was reranked, best first, it gives back scores. */
  readonly judge?: (question: string, passages: readonly StoredPassage[]) => Promise<readonly number[]>
}

export interface SearchResult {
  /** Best first. */
  readonly passages: readonly RankedPassage[]
  /** How much of the question the best passage covers, from 0 to 1 (see `coverageOf`). */
  readonly coverage: number
  /** Terms that were added to the question. */
  readonly expanded: readonly string[]
  /** The question weighed by this index: `quoteFrom` takes it, so that quoting knows what is rare. */
  readonly question: Question
}

export interface RankedPassage extends StoredPassage {
  /** From 0 to 1; comparable within one search. */
  readonly score: number
  readonly explain: Explain
}

/** Every number that decided a passage's place. */
export interface Explain {
  readonly keyword: Placed | null
  readonly vector: Placed | null
  readonly fused: number
  readonly match: PassageMatch
  readonly reranked: number
  readonly judged: number | null
  /** Share of word pairs it has in common with a passage placed before it. */
  readonly duplicate: number
}

export const SEARCH_LIMIT = 10
const CANDIDATES = 50
const RERANKED = 20
const EXPAND_BELOW = 0.35

/**
 * The whole of retrieval: keywords and vectors, fused, reranked by how each text meets the question, and spread over what
 * is not the same twice. Deterministic for the same index. `embed` null searches by keywords alone.
 */
export async function search(
  index: SearchIndex,
  embed: QueryEmbedder | null,
  text: string,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const { limit = SEARCH_LIMIT, expandBelow = EXPAND_BELOW, glossary } = options
  const terms = [...queryTerms(text, options), ...(glossary === undefined ? [] : fromGlossary(text, glossary))]
  const first = await pass(index, embed, text, terms, options)
  let best = first
  let expanded: readonly QueryTerm[] = []
  if (first.coverage < expandBelow && first.ranked.length > 0) {
    expanded = await more(index, first)
    if (expanded.length > 0) best = await pass(index, embed, text, [...terms, ...expanded], options)
  }
  const judged = await judge(best.ranked, text, options)
  const chosen = diversify(
    judged,
    (one) => one.score,
    (one) => one.passage,
    limit,
  )
  return {
    passages: chosen.map(({ item, duplicates }) => explained(item, duplicates)),
    coverage: best.coverage,
    expanded: [...new Set(expanded.map(({ term }) => term))],
    question: best.question,
  }
}

interface Pass {
  readonly question: Question
  readonly ranked: readonly Reranked[]
  readonly coverage: number
}

async function pass(
  index: SearchIndex,
  embed: QueryEmbedder | null,
  text: string,
  terms: readonly QueryTerm[],
  options: SearchOptions,
): Promise<Pass> {
  const { candidates = CANDIDATES, reranked = RERANKED, limit = SEARCH_LIMIT, fusion = WEIGHTED } = options
  const keyword = await index.keyword(terms, candidates)
  const near = embed === null ? [] : await index.nearest(await embed.embedQuery(text, idfFrom(keyword)), candidates)
  const question = readQuestion(text, keyword)
  const fused = fuse(keyword.hits, near, candidates, fusion).slice(0, Math.max(reranked, limit))
  const loaded = await index.load(fused.map(({ id }) => id))
  const ranked = rerank(question, fused, new Map(loaded.map((passage) => [passage.id, passage])))
  return { question, ranked, coverage: coverageOf(ranked) }
}

function idfFrom({ frequencies, total }: KeywordHits): (term: string) => number {
  return (term) => idfOf(frequencies.get(term) ?? 0, total)
}

async function more(index: SearchIndex, { question, ranked }: Pass): Promise<QueryTerm[]> {
  const passages = ranked.map((one) => one.passage)
  const candidates = feedbackCandidates(question, passages)
  const statistics = await index.frequencies([...candidates.keys()])
  return [
    ...fromAcronyms(
      question.text,
      passages.map((passage) => passage.text),
    ),
    ...weighFeedback(candidates, statistics),
  ]
}

interface Judged extends Reranked {
  readonly judged: number | null
}

async function judge(ranked: readonly Reranked[], text: string, options: SearchOptions): Promise<Judged[]> {
  if (options.judge === undefined || ranked.length === 0) return ranked.map((one) => ({ ...one, judged: null }))
  const scores = await options.judge(
    text,
    ranked.map((one) => one.passage),
  )
  return ranked
    .map((one, at) => ({ ...one, score: scores[at] ?? 0, judged: scores[at] ?? 0, lexical: one.score }))
    .toSorted((a, b) => b.score - a.score || b.lexical - a.lexical)
}

function explained({ passage, fused, match, score, judged }: Judged, duplicate: number): RankedPassage {
  return { ...passage, score, explain: explainOf(fused, match, score, judged, duplicate) }
}

function explainOf(
  fused: Fused,
  match: PassageMatch,
  reranked: number,
  judged: number | null,
  duplicate: number,
): Explain {
  return { keyword: fused.keyword, vector: fused.vector, fused: fused.score, match, reranked, judged, duplicate }
}
