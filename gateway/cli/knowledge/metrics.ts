/** Grades of the right documents of a question, by id; those not named are 0. */
export type Grades = ReadonlyMap<string, number>

/** nDCG with gain 2^grade - 1 (Burges et al., 2005), as trec_eval's ndcg_cut. */
export function ndcgAt(depth: number, ranked: readonly string[], grades: Grades): number {
  const ideal = [...grades.values()].toSorted((a, b) => b - a).slice(0, depth)
  const best = gainOf(ideal)
  return best === 0 ? 0 : gainOf(ranked.slice(0, depth).map((id) => grades.get(id) ?? 0)) / best
}

function gainOf(grades: readonly number[]): number {
  return grades.reduce((sum, grade, at) => sum + (2 ** grade - 1) / Math.log2(at + 2), 0)
}

export function recallAt(depth: number, ranked: readonly string[], grades: Grades): number {
  const right = [...grades].filter(([, grade]) => grade > 0).map(([id]) => id)
  if (right.length === 0) return 0
  const found = new Set(ranked.slice(0, depth))
  return right.filter((id) => found.has(id)).length / right.length
}

export function reciprocalRank(ranked: readonly string[], grades: Grades): number {
  const at = ranked.findIndex((id) => (grades.get(id) ?? 0) > 0)
  return at < 0 ? 0 : 1 / (at + 1)
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
