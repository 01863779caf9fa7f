/** How well one question was answered by a ranked list. */
export interface RankScore {
  /** 1 when a right passage is among the first RECALL_DEPTH. */
  readonly recall: number
  /** 1 / rank of the first right one, or 0. */
  readonly mrr: number
  /** Normalised discounted gain of the first right one, log base 2 (Järvelin and Kekäläinen, 2002). */
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
  const mean = (of: (score: RankScore) => number): number =>
    scores.length === 0 ? 0 : scores.reduce((sum, score) => sum + of(score), 0) / scores.length
  return { recall: mean((one) => one.recall), mrr: mean((one) => one.mrr), ndcg: mean((one) => one.ndcg) }
}
