import type { Fused } from './fusion.ts'
import { matchPassage } from './passage-match.ts'
import type { PassageMatch } from './passage-match.ts'
import type { Question } from './question.ts'
import type { StoredPassage } from './search-index.ts'

/**
 * What each way of meeting the question counts beside the fused score, which counts one. Set on the even rows of XQuAD and
 * of the chunking data together; finer weights gain nothing on the rows they were not set on.
 */
export const RERANK_WEIGHTS = {
  text: 1.5,
  all: 1,
  heading: 1,
  window: 1,
  proximity: 1,
  phrase: 1,
  numbers: 1,
} as const satisfies Partial<Record<keyof PassageMatch, number>>

/** Share of its better neighbour's score that a passage is given: an answer often runs on where a chunk ends. */
const NEIGHBOUR_SHARE = 0.07

const FEATURES = Object.keys(RERANK_WEIGHTS) as (keyof typeof RERANK_WEIGHTS)[]
const FEATURES_WEIGHT = FEATURES.reduce((sum, feature) => sum + RERANK_WEIGHTS[feature], 0)

export interface Reranked {
  readonly passage: StoredPassage
  readonly fused: Fused
  readonly match: PassageMatch
  /** From 0 to 1. */
  readonly score: number
}

/** Lexical, in one pass over each text: nothing is asked of a model. Best first; equals keep their fused order. */
export function rerank(
  question: Question,
  fused: readonly Fused[],
  passages: ReadonlyMap<string, StoredPassage>,
): Reranked[] {
  const ranked = fused.flatMap((one) => {
    const passage = passages.get(one.id)
    if (passage === undefined) return []
    const match = matchPassage(question, passage)
    const score = (one.score + scoreOfMatch(match) * FEATURES_WEIGHT) / (1 + FEATURES_WEIGHT)
    return [{ passage, fused: one, match, score }]
  })
  return helpedByNeighbours(ranked).toSorted((a, b) => b.score - a.score)
}

function helpedByNeighbours(ranked: readonly Reranked[]): Reranked[] {
  const placeOf = ({ documentId, version }: StoredPassage, ordinal: number): string =>
    `${documentId} ${version} ${ordinal}`
  const scores = new Map(ranked.map(({ passage, score }) => [placeOf(passage, passage.ordinal), score]))
  return ranked.map((one) => {
    const beside = [one.passage.ordinal - 1, one.passage.ordinal + 1]
    const best = Math.max(...beside.map((ordinal) => scores.get(placeOf(one.passage, ordinal)) ?? 0))
    return { ...one, score: (one.score + NEIGHBOUR_SHARE * best) / (1 + NEIGHBOUR_SHARE) }
  })
}

/** What a match is worth without a place in any list, from 0 to 1. */
export function scoreOfMatch(match: PassageMatch): number {
  let score = 0
  for (const feature of FEATURES) score += RERANK_WEIGHTS[feature] * match[feature]
  return score / FEATURES_WEIGHT
}
