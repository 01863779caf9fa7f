import { headerOf, joinCells } from '../cells.ts'
import type { Block, PlacedLine } from '../parsed-page.ts'
import type { Row, Segment } from './rows.ts'
import { union } from './text-run.ts'

/** Rows with several cells that make a table: fewer where there are more columns, for prose does not align by chance. */
const ROWS_OF_TWO_COLUMNS = 3
const ROWS_OF_MORE = 2
/** Share of the cells that must lie in one column each. */
const ALIGNED = 0.8
/** Space above a row, in ems: from here on the table has ended, and up to here a line goes on a cell. */
const FAR = 3
const TIGHT = 0.45
/** Share of the width of the table from which a single cell is a line of prose. */
const WIDE = 0.6
/** A single cell in larger type is the heading of what follows. */
const LARGER = 1.25
/** Rows of a header, one above the other. */
const MAX_STACKED = 4

interface Column {
  readonly x0: number
  readonly x1: number
}

export interface FoundTable {
  /** How many of the rows it took. */
  readonly rows: number
  readonly block: Block
}

/** The table that begins with the first of `rows`, if one does. */
export function tableAt(rows: readonly Row[], at: number): FoundTable | null {
  const end = extent(rows, at)
  const taken = rows.slice(at, end)
  const several = taken.filter((row) => row.cells.length > 1)
  const columns = findColumns(several)
  if (columns.length < 2) return null
  if (several.length < (columns.length === 2 ? ROWS_OF_TWO_COLUMNS : ROWS_OF_MORE)) return null
  const cells = several.flatMap((row) => row.cells)
  if (cells.filter((cell) => columnsOf(cell, columns) === 1).length < ALIGNED * cells.length) return null
  return { rows: taken.length, block: toBlock(taken, columns) }
}

function extent(rows: readonly Row[], at: number): number {
  let end = at
  let x0 = Infinity
  let x1 = -Infinity
  for (let next = at; next < rows.length; next += 1) {
    const row = rows[next]
    const before = rows[next - 1]
    if (row === undefined) break
    if (next > at && before !== undefined && row.top - before.bottom > FAR * row.size) break
    if (row.cells.length > 1) {
      end = next + 1
      x0 = Math.min(x0, row.x0)
      x1 = Math.max(x1, row.x1)
    } else {
      // A single cell is part of it while others follow, or when it goes on a cell above that is not in the first column.
      const wide = row.x1 - row.x0 > WIDE * (x1 - x0)
      const larger = row.size > LARGER * (rows[at]?.size ?? row.size)
      if (wide || larger || next - end >= 2) break
      const tight = before !== undefined && row.top - before.bottom < TIGHT * row.size
      if (tight && end === next && row.x0 > x0 + row.size) end = next + 1
    }
  }
  return end
}

/** From the rows with the most cells; those of the others are laid into them. */
function findColumns(rows: readonly Row[]): Column[] {
  const most = Math.max(0, ...rows.map((row) => row.cells.length))
  let full = rows.filter((row) => row.cells.length === most)
  // One row with more cells than any other has a cell torn apart.
  if (full.length === 1 && rows.length > 3) full = rows.filter((row) => row.cells.length >= most - 1)
  const merged: { x0: number; x1: number }[] = []
  for (const { x0, x1 } of full.flatMap((row) => row.cells).toSorted((a, b) => a.x0 - b.x0)) {
    const last = merged.at(-1)
    if (last !== undefined && x0 < last.x1 - 1) last.x1 = Math.max(last.x1, x1)
    else merged.push({ x0, x1 })
  }
  return merged
}

function columnsOf(cell: Segment, columns: readonly Column[]): number {
  return columns.filter((column) => Math.min(cell.x1, column.x1) - Math.max(cell.x0, column.x0) > 0).length
}

function columnOf(cell: Segment, columns: readonly Column[]): number {
  let best = 0
  let most = -Infinity
  for (const [at, column] of columns.entries()) {
    // Negative: how far away it is.
    const overlap = Math.min(cell.x1, column.x1) - Math.max(cell.x0, column.x0)
    if (overlap > most) [best, most] = [at, overlap]
  }
  return best
}

function toBlock(rows: readonly Row[], columns: readonly Column[]): Block {
  const grid: { cells: string[]; rows: Row[] }[] = []
  for (const [at, row] of rows.entries()) {
    const cells = columns.map(() => '')
    for (const cell of row.cells) {
      const column = columnOf(cell, columns)
      cells[column] = [cells[column], cell.text].filter((text) => text !== '').join(' ')
    }
    const last = grid.at(-1)
    const above = rows[at - 1]
    if (last !== undefined && above !== undefined && goesOn(row, above, cells)) {
      for (const [column, text] of cells.entries()) {
        if (text !== '') last.cells[column] = [last.cells[column], text].filter((part) => part !== '').join(' ')
      }
      last.rows.push(row)
    } else grid.push({ cells, rows: [row] })
  }
  const lines: PlacedLine[] = []
  let text = ''
  for (const { cells, rows: parts } of grid) {
    if (text !== '') text += '\n'
    const start = text.length
    text += joinCells(cells)
    lines.push({ start, end: text.length, box: union(parts.map((row) => [row.x0, row.top, row.x1, row.bottom])) })
  }
  const texts = grid.map(({ cells }) => cells)
  return { kind: 'table', level: 0, text, lines, header: stackedHeader(texts) ?? headerOf(texts) }
}

/** A line that fills only columns but the first, close below, without numbers of its own. */
function goesOn(row: Row, above: Row, cells: readonly string[]): boolean {
  return cells[0] === '' && row.top - above.bottom < TIGHT * row.size && !cells.some((cell) => /^[$€£(]?\d/.test(cell))
}

/** Rows at the top without a name in the first column: each column is named by what is stacked above it. */
function stackedHeader(rows: readonly (readonly string[])[]): string | null {
  let height = 0
  while (height < MAX_STACKED && rows[height]?.[0] === '') height += 1
  if (height < 2 || height >= rows.length) return null
  const names = (rows[0] ?? []).map((_, column) => {
    return rows
      .slice(0, height)
      .map((row) => row[column] ?? '')
      .filter((cell) => cell !== '')
      .join(' ')
  })
  return joinCells(names)
}
