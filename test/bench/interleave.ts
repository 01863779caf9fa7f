/** How often each side of a comparison is measured. */
export const ROUNDS = 5

export interface Compared {
  /** Medians over the rounds. */
  readonly value: number
  readonly baseline: number
  readonly ratio: number
  /** The ratios of the rounds, smallest and largest: how far the machine can be trusted. */
  readonly note: string
}

/**
 * Measures ours and the same work without us in turns (ABAB…), so that whatever else the machine does meets both. What a
 * side returns is its figure of that round.
 */
export async function interleave(
  rounds: number,
  ours: () => Promise<number>,
  raw: () => Promise<number>,
): Promise<Compared> {
  const values: number[] = []
  const baselines: number[] = []
  for (let round = 0; round < rounds; round++) {
    values.push(await ours())
    baselines.push(await raw())
  }
  const ratios = values.map((value, round) => value / baselines[round]!)
  const value = median(values)
  const baseline = median(baselines)
  return {
    value,
    baseline,
    ratio: value / baseline,
    note: `ratio by round ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** By the nearest rank; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
