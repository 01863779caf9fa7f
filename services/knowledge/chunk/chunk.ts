import type { Box } from '../parse/parsed-page.ts'

/** A passage as it is indexed and cited. */
export interface Chunk {
  /** From 0, in the order of the text. */
  readonly ordinal: number
  /** `text` is exactly the canonical text from `start` to `end`. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** Titles of the sections it stands in, outermost first. Its own heading is also in its text. */
  readonly headings: readonly string[]
  /** Of a part of a table whose header row is not in the text: that row. */
  readonly header: string
  /** Kind of its longest block. */
  readonly kind: string
  /** First and last page it stands on. */
  readonly pages: readonly [number, number]
  /** One box per page it has geometry on. */
  readonly boxes: readonly { readonly page: number; readonly box: Box }[]
  /** ISO 639-1, or ''. */
  readonly language: string
  readonly tokens: number
  /**
   * Ordinal of the first chunk of the larger passage it belongs to (the passage reaches to the last chunk with the same
   * parent), or null where passages are not asked for or the document is short.
   */
  readonly parent: number | null
}

export interface ChunkStrategy {
  /**
   * - auto       structure first: headings, whole paragraphs, tables by rows, questions with their answers
   * - page       one chunk for each page, slide or sheet that fits
   * - rows       each row of a table, each item of a list by itself
   * - qa         each question with its answer; all else as auto
   * - sentences  as auto, but each chunk holds as many whole sentences as reach minTokens
   */
  readonly kind: 'auto' | 'page' | 'rows' | 'qa' | 'sentences'
  readonly maxTokens: number
  /** Smaller neighbours under one heading are joined. */
  readonly minTokens: number
  /** Whether chunks of a long document are grouped under larger passages. */
  readonly parents: boolean
}

export const DEFAULT_STRATEGY: ChunkStrategy = { kind: 'auto', maxTokens: 400, minTokens: 100, parents: false }
