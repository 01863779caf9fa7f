import type { PassageMatch } from './passage-match.ts'

/** Below this the documents do not hold the answer. Set on the even rows of XQuAD with half of its articles away. */
export const MIN_COVERAGE = 0.38

/**
 * The same where no index says how rare a word is and the sentences of a few passages have to. Set on the even rows of XQuAD
 * with the right paragraph there, and away.
 */
export const MIN_COVERAGE_ALONE = 0.44

/** Words that stand together as they were asked are worth this beside the words alone. */
const TOGETHER = 0.15
/** The answer may be in any of the first few. */
const COVERING = 3

/**
 * How much of a question one passage covers, from 0 to 1: the idf-weighted share of its words in the best sentence and in
 * the whole passage, and whether they stand together. A word that stands nowhere in the index has the highest idf, so it
 * takes most away.
 */
export function coverageOfMatch({ window, all, phrase, proximity }: PassageMatch): number {
  return ((window + all) / 2) * (1 - TOGETHER) + Math.max(phrase, proximity) * TOGETHER
}

/** Of the best few passages, the best. */
export function coverageOf(ranked: readonly { readonly match: PassageMatch }[]): number {
  return Math.max(0, ...ranked.slice(0, COVERING).map(({ match }) => coverageOfMatch(match)))
}
