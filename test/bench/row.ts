/** One figure of a benchmark, as `npm run bench -- --json` prints it. */
export interface Row {
  /** `figure`, or `figure/part` where a figure has several. */
  readonly name: string
  /** Null when it could not be measured here; `note` says why. */
  readonly value: number | null
  readonly unit: string
  /** The same work done without us, in the same run. */
  readonly baseline: number | null
  /** value / baseline. */
  readonly ratio: number | null
  /** What was promised, in words. */
  readonly bar: string
  /** Null when nothing was promised, or nothing measured. */
  readonly ok: boolean | null
  readonly note?: string
}

export interface FigureOptions {
  /** Development data that is not in the repository. */
  readonly dataDir: string
  /** Only shows that the figure runs: few rounds, little work, numbers that mean nothing. */
  readonly quick: boolean
  /** A line of progress. */
  readonly say: (line: string) => void
}

/** What every file in figures/ exports as `figure`. */
export interface Figure {
  readonly name: string
  run(options: FigureOptions): Promise<Row[]>
}
