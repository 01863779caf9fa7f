/** What every format becomes: pages of blocks in reading order. */

/** Points (1/72 inch), origin at the top left of the page. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number]

export type BlockKind = 'heading' | 'paragraph' | 'list' | 'table' | 'code' | 'caption' | 'question' | 'answer'

/** Where a line of a block's text stands on the page. */
export interface PlacedLine {
  /** Range in the block's text, in UTF-16 code units. */
  readonly start: number
  readonly end: number
  readonly box: Box
}

export interface Block {
  readonly kind: BlockKind
  /** 1 to 6 for a heading, 0 for all else. */
  readonly level: number
  /** Never empty, and neither begins nor ends with white space. */
  readonly text: string
  /** Empty where a format has no geometry. */
  readonly lines: readonly PlacedLine[]
  /** Of a table: its header row as text, also where a row with it does not begin the text; '' for all else. */
  readonly header: string
}

export interface ParsedPage {
  /** From 1. A format without pages has one page; a slide, a sheet, an e-mail is one. */
  readonly number: number
  /** Points; 0 where a format has no geometry. */
  readonly width: number
  readonly height: number
  readonly blocks: readonly Block[]
  /** Whether the text was recognised in a picture. */
  readonly ocr: boolean
}
