import { mean } from '#shared/ranking/metrics.ts'

/** How well one question was answered by a ranked list; only the first right passage counts. */
export interface RankScore {
  /** 1 when it is among the first RECALL_DEPTH. */
  readonly recall: number
  /** 1 / its rank, or 0. */
  readonly mrr: number
  /** Its discounted gain, log base 2. */
  readonly ndcg: number
}

export const RECALL_DEPTH = 5

/** @param right for each place of the list, from the first, whether it is a right passage */
export function scoreRanks(right: readonly boolean[]): RankScore {
  const at = right.indexOf(true)
  if (at < 0) return { recall: 0, mrr: 0, ndcg: 0 }
  return { recall: at < RECALL_DEPTH ? 1 : 0, mrr: 1 / (at + 1), ndcg: 1 / Math.log2(at + 2) }
}

/** All zeros for no questions. */
export function meanOf(scores: readonly RankScore[]): RankScore {
  return {
    recall: mean(scores.map((one) => one.recall)),
    mrr: mean(scores.map((one) => one.mrr)),
    ndcg: mean(scores.map((one) => one.ndcg)),
  }
}
