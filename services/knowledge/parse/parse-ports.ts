import type { ParseLimits } from './limits.ts'
import type { ParsedPage } from './parsed-page.ts'

export interface ParseInput {
  readonly bytes: Uint8Array
  /** What the sender says it is; '' or application/octet-stream where it says nothing. */
  readonly mime: string
  readonly name: string
  /** First page wanted: those before are done. */
  readonly from?: number
}

export interface ParsePorts {
  readonly signal: AbortSignal
  /** Pages come in order, the next one after this has resolved; `of` is how many there are, where that is known. */
  readonly onPage: (page: ParsedPage, of: number | null) => Promise<void>
  readonly limits: ParseLimits
}

export interface ParseOutcome {
  /** How many there are in all, those before `from` too. */
  readonly pages: number
  readonly title: string
  readonly metadata: Readonly<Record<string, string>>
}
