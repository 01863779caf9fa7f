import type { Block, BlockKind } from '../parsed-page.ts'
import { headingLevel } from './headings.ts'
import { LinesOfText } from './lines-of-text.ts'
import { rowText, LIST_MARK } from './rows.ts'
import type { Row } from './rows.ts'
import { tableAt } from './tables.ts'
import { union } from './text-run.ts'

/** Space between lines, in ems of the lower line, from which a paragraph ends, where the page's own leading is not wider. */
const LEAST_LEADING = 0.5
/** How much more than usual the space before a paragraph is. */
const PARAGRAPH_SPACE = 0.35
/** An indent from here on, in ems, begins a paragraph. */
const INDENT = 0.9
/** A last line of a paragraph ends before this share of the width. */
const SHORT = 0.8
/** And a line that goes on reaches at least so far. */
const FULL = 0.85
const SAME_SIZE = 0.12
const CAPTION = /^(?:Figure|Fig\.|Table|Chart|Exhibit|Abbildung|Tabelle)\s+[\dA-Z]+(?:[.:\d-]|\s|$)/
const MAX_CAPTION_CHARS = 400
/** A line of a table of contents. */
const CONTENTS = / … ?(?:\d{1,4}|[ivxlc]{1,6})$/
const MARKED = /^(?:[•‣◦▪▫●○■□◆◇➢➤✓·]\s*\S|[–—*-]\s+\S|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})\)\s+\S|(?:\d{1,2}|[a-z])\.\s+\S)/

/** The blocks of a region, whose rows are one below the other. */
export function toBlocks(rows: readonly Row[], bodySize: number): Block[] {
  const blocks: Block[] = []
  const shape = shapeOf(rows)
  let at = 0
  while (at < rows.length) {
    const row = rows[at]
    if (row === undefined) break
    const table = row.cells.length > 1 && !LIST_MARK.test(row.cells[0]?.text ?? '') ? tableAt(rows, at) : null
    if (table !== null) {
      blocks.push(table.block)
      at += table.rows
      continue
    }
    const { block, rows: taken } = textAt(rows, at, bodySize, shape)
    if (block.text !== '') blocks.push(block)
    at += taken
  }
  return blocks
}

interface Shape {
  readonly left: number
  readonly right: number
  /** Usual space between the lines of a paragraph, in ems. */
  readonly leading: number
}

function shapeOf(rows: readonly Row[]): Shape {
  const gaps = rows
    .slice(1)
    .map((row, at) => (row.top - (rows[at]?.bottom ?? row.top)) / row.size)
    .filter((gap) => gap > -0.5 && gap < 1.5)
    .toSorted((a, b) => a - b)
  return {
    left: Math.min(...rows.map((row) => row.x0)),
    right: Math.max(...rows.map((row) => row.x1)),
    // A low quantile: where paragraphs are one line each, the space between them is not the leading.
    leading: gaps[Math.floor(gaps.length * 0.3)] ?? 0.2,
  }
}

function textAt(rows: readonly Row[], at: number, bodySize: number, shape: Shape): { block: Block; rows: number } {
  const first = rows[at] as Row
  const level = headingLevel(first, rows[at + 1], bodySize)
  if (level > 0) {
    const end = whileNext(rows, at, (row, before) => {
      return (
        Math.abs(row.size - first.size) < SAME_SIZE * first.size &&
        row.bold === first.bold &&
        gap(row, before) < Math.max(LEAST_LEADING, shape.leading + PARAGRAPH_SPACE) &&
        !/^\d+(?:\.\d+)*\.?\s/.test(rowText(row)) &&
        headingLevel(row, rows[rows.indexOf(row) + 1], bodySize) > 0
      )
    })
    return { block: joined('heading', level, rows.slice(at, end)), rows: end - at }
  }
  if (first.mono) {
    const end = whileNext(rows, at, (row, before) => row.mono && gap(row, before) < 2.5)
    if (end - at > 1) return { block: codeBlock(rows.slice(at, end)), rows: end - at }
  }
  if (CONTENTS.test(rowText(first))) {
    const end = whileNext(rows, at, (row) => CONTENTS.test(rowText(row)))
    return { block: onLines('list', rows.slice(at, end)), rows: end - at }
  }
  if (MARKED.test(rowText(first))) return listAt(rows, at, bodySize, shape)
  const end = whileNext(rows, at, (row, before, next) => isSameParagraph(row, before, next, bodySize, shape))
  const block = joined('paragraph', 0, rows.slice(at, end))
  const isCaption = CAPTION.test(block.text) && block.text.length < MAX_CAPTION_CHARS
  return { block: isCaption ? { ...block, kind: 'caption' } : block, rows: end - at }
}

function isSameParagraph(row: Row, before: Row, next: Row | undefined, bodySize: number, shape: Shape): boolean {
  if (Math.abs(row.size - before.size) > SAME_SIZE * before.size) return false
  if (gap(row, before) > Math.max(LEAST_LEADING, shape.leading + PARAGRAPH_SPACE)) return false
  if (
    MARKED.test(rowText(row)) ||
    CONTENTS.test(rowText(row)) ||
    row.cells.length > 2 ||
    headingLevel(row, next, bodySize) > 0
  )
    return false
  if (row.mono !== before.mono) return false
  // A line that ends early, and the next one set in, or begins with a capital after a full stop.
  const early = before.x1 < shape.left + SHORT * (shape.right - shape.left)
  const setIn = row.x0 - before.x0 > INDENT * row.size
  if (setIn && row.x0 - shape.left > INDENT * row.size && row.x0 - shape.left < 5 * row.size) {
    const ends = /[.:?!]["')\]”’]?$/.test(rowText(before))
    if (ends || early) return false
  }
  return !(early && /[.:?!]["')\]”’]?$/.test(rowText(before)) && /^["'(“]?[\p{Lu}\d]/u.test(rowText(row)))
}

function listAt(rows: readonly Row[], at: number, bodySize: number, shape: Shape): { block: Block; rows: number } {
  const first = rows[at] as Row
  const text = new LinesOfText()
  text.break(rowText(first), boxOf(first))
  let item = first
  const end = whileNext(rows, at, (row, before, next) => {
    const far = gap(row, before) > Math.max(1.6, shape.leading + 1.2)
    if (far || row.cells.length > 2) return false
    if (CONTENTS.test(rowText(row))) return false
    if (MARKED.test(rowText(row))) {
      text.break(rowText(row), boxOf(row))
      item = row
      return true
    }
    // What goes on an item is set in as far as its text, and close.
    const close = gap(row, before) <= Math.max(LEAST_LEADING, shape.leading + PARAGRAPH_SPACE)
    const setIn = row.x0 >= item.x0 + 0.4 * item.size
    const full = before.x1 > shape.left + FULL * (shape.right - shape.left)
    if (!close || !(setIn || (full && Math.abs(row.x0 - item.x0) < item.size))) return false
    if (row.mono || headingLevel(row, next, bodySize) > 0) return false
    text.flow(rowText(row), boxOf(row))
    return true
  })
  return { block: { kind: 'list', level: 0, text: text.text, lines: text.lines, header: '' }, rows: end - at }
}

function joined(kind: BlockKind, level: number, rows: readonly Row[]): Block {
  const text = new LinesOfText()
  for (const row of rows) text.flow(rowText(row), boxOf(row))
  return { kind, level, text: text.text, lines: text.lines, header: '' }
}

function onLines(kind: BlockKind, rows: readonly Row[]): Block {
  const text = new LinesOfText()
  for (const row of rows) text.break(rowText(row), boxOf(row))
  return { kind, level: 0, text: text.text, lines: text.lines, header: '' }
}

/** Keeps lines and their indents, counted in the width of a character. */
function codeBlock(rows: readonly Row[]): Block {
  const left = Math.min(...rows.map((row) => row.x0))
  const text = new LinesOfText()
  for (const [at, row] of rows.entries()) {
    const content = rowText(row)
    const charWidth = (row.x1 - row.x0) / Math.max(1, content.length)
    const indent = at === 0 ? 0 : Math.min(40, Math.max(0, Math.round((row.x0 - left) / charWidth)))
    text.break(`${' '.repeat(indent)}${content}`, boxOf(row))
  }
  return { kind: 'code', level: 0, text: text.text, lines: text.lines, header: '' }
}

function whileNext(
  rows: readonly Row[],
  at: number,
  goesOn: (row: Row, before: Row, next: Row | undefined) => boolean,
): number {
  let end = at + 1
  for (; end < rows.length; end += 1) {
    const [row, before] = [rows[end], rows[end - 1]]
    if (row === undefined || before === undefined || !goesOn(row, before, rows[end + 1])) break
  }
  return end
}

function gap(row: Row, before: Row): number {
  return (row.top - before.bottom) / row.size
}

function boxOf(row: Row): ReturnType<typeof union> {
  return union([[row.x0, row.top, row.x1, row.bottom]])
}
