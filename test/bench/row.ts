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

/** What every file in figures/ exports. */
export interface Figure {
  readonly name: string
  run(options: { readonly dataDir: string }): Promise<Row[]>
}
