import type { Sentence } from '#shared/text/sentences.ts'

/**
 * Lines inside a passage that say what the lines below are about, and answer nothing themselves: a heading of a handbook's
 * section, the first row of a table.
 */
export interface SentenceRole {
  /** It is such a line: read for what is below, never quoted. */
  readonly heading: boolean
  /** A row of a table, its cells parted by ` | `. */
  readonly row: boolean
  /** The sentences that head it, in this passage. */
  readonly under: readonly number[]
  /** Of the first that says something under them: the nearest. */
  readonly leads: number | null
}

const MAX_HEADING_CHARS = 120
const MAX_HEADER_CELL_CHARS = 40
const CLOSED = /[.!?…:;,。！？]["'”’)\]*_]*$/u
const LIST_LINE = /^(?:[-*•–·▪◦]|\(?\d{1,3}[.)]|[a-z]\))[ \t]/
const CELLS = ' | '

export function rolesOf(text: string, sentences: readonly Sentence[], hasHeader: boolean): SentenceRole[] {
  const roles: SentenceRole[] = []
  let under: number[] = []
  let table: number | null = null
  for (const [at, sentence] of sentences.entries()) {
    const before = roles[at - 1]
    const row = sentence.text.includes(CELLS)
    const first = row && before?.row !== true
    if (!row) table = null
    if (!row && isHeadingLine(text, sentences, at)) {
      // Headings that stand directly below one another head the same text.
      under = before?.heading === true && !before.row ? [...under, at] : [at]
      roles.push({ heading: true, row: false, under: [], leads: null })
      continue
    }
    const header = first && !(hasHeader && at === 0) && isHeaderRow(sentences, at)
    if (header) table = at
    const leads = before?.heading === true && !before.row && !row ? at - 1 : null
    roles.push({ heading: header, row, under: table === null || header ? under : [...under, table], leads })
  }
  return roles
}

/** Short, without a mark at its end, with blank lines around it, and something below. */
function isHeadingLine(text: string, sentences: readonly Sentence[], at: number): boolean {
  const { text: said, start, end } = sentences[at] ?? { text: '', start: 0, end: 0 }
  const next = sentences[at + 1]
  if (next === undefined || said.length > MAX_HEADING_CHARS || said.includes('\n')) return false
  if (CLOSED.test(said) || LIST_LINE.test(said)) return false
  const before = sentences[at - 1]
  return isBlank(text.slice(end, next.start)) && (before === undefined || isBlank(text.slice(before.end, start)))
}

function isBlank(between: string): boolean {
  return /\n[^\S\n]*\n/.test(between)
}

/** Names of columns: short cells without a number, over rows that each have one. */
function isHeaderRow(sentences: readonly Sentence[], at: number): boolean {
  const cells = sentences[at]?.text.split(CELLS) ?? []
  if (cells.some((cell) => /\d/.test(cell) || cell.length > MAX_HEADER_CELL_CHARS)) return false
  let below = at + 1
  while (sentences[below]?.text.includes(CELLS) === true) {
    if (!/\d/.test(sentences[below]?.text ?? '')) return false
    below += 1
  }
  return below > at + 1
}
