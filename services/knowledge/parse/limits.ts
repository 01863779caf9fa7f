/** What one document may cost. Exceeding any of them is a coded error of that document. */
export interface ParseLimits {
  readonly bytes: number
  readonly pages: number
  /** Time between two signs of progress of the parsing process. */
  readonly pageMs: number
  /** Time for the document, without what waits for `onPage`. */
  readonly documentMs: number
  /** JavaScript heap of the parsing process. */
  readonly memoryMb: number
  /** Characters of text in all. */
  readonly chars: number
  readonly archiveEntries: number
  /** Bytes of all entries of an archive, inflated. */
  readonly archiveBytes: number
  /** Inflated bytes for each byte of the archive. */
  readonly archiveRatio: number
  /** Of one picture, or one rendered page. */
  readonly pixels: number
}

const MIB = 1_048_576

export const DEFAULT_LIMITS: ParseLimits = {
  bytes: 100 * MIB,
  pages: 2_000,
  pageMs: 60_000,
  documentMs: 1_800_000,
  memoryMb: 512,
  chars: 50_000_000,
  archiveEntries: 10_000,
  archiveBytes: 256 * MIB,
  archiveRatio: 200,
  pixels: 50_000_000,
}
