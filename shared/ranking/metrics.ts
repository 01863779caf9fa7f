/** Judged relevance of documents for one query: id -> gain, zero and absent being the same. */
export type Judgements = ReadonlyMap<string, number>

/** Normalised discounted cumulative gain with linear gains, as trec_eval's ndcg_cut (Järvelin and Kekäläinen, TOIS 20/4, 2002). */
export function ndcg(ranked: readonly string[], judged: Judgements, depth: number): number {
  const discounted = (gains: readonly number[]): number =>
    gains.slice(0, depth).reduce((sum, gain, at) => sum + gain / Math.log2(at + 2), 0)
  const ideal = discounted([...judged.values()].filter((gain) => gain > 0).toSorted((a, b) => b - a))
  return ideal === 0 ? 0 : discounted(ranked.map((id) => judged.get(id) ?? 0)) / ideal
}

/** Share of the relevant documents among the first `depth`. */
export function recall(ranked: readonly string[], judged: Judgements, depth: number): number {
  const relevant = [...judged].filter(([, gain]) => gain > 0)
  const found = new Set(ranked.slice(0, depth))
  return relevant.length === 0 ? 0 : relevant.filter(([id]) => found.has(id)).length / relevant.length
}

/** One over the place of the first relevant document; 0 when there is none. */
export function reciprocalRank(ranked: readonly string[], judged: Judgements): number {
  const at = ranked.findIndex((id) => (judged.get(id) ?? 0) > 0)
  return at < 0 ? 0 : 1 / (at + 1)
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
