/**
 * Reading order: a page is cut into regions that are read one after the other, each from top to bottom. Columns are told
 * from tables by what is in them: lines of a column fill its width, cells of a table do not.
 *
 * The cut is recursive (Nagy's XY-cut) with one addition: lines across the whole page (titles, figures' captions) divide it
 * into bands first, so that two columns below a title are found.
 */
import { toRow } from './rows.ts'
import type { Row, Segment } from './rows.ts'

/** Narrowest white band between columns, in points. */
const GUTTER = 7
/** Fewer lines on a side are no column. */
const COLUMN_LINES = 4
/** Share of its column's width that a usual line of prose fills. */
const FILLED = 0.6
/** Average characters of a line of prose. */
const PROSE_CHARS = 18
/** A page has no more columns than that, and a hostile one no deeper cuts. */
const MAX_DEPTH = 4

export function readingOrder(rows: readonly Row[]): Row[][] {
  return order(rows, 0).filter((region) => region.length > 0)
}

function order(rows: readonly Row[], depth: number): Row[][] {
  if (rows.length < COLUMN_LINES || depth >= MAX_DEPTH) return [[...rows]]
  const gutter = findGutter(rows)
  if (gutter === null) return [[...rows]]
  const regions: Row[][] = []
  let plain: Row[] = []
  let band: Row[] = []
  const flush = (): void => {
    const sides = columns(band, gutter)
    if (sides === null) plain.push(...band)
    else {
      if (plain.length > 0) regions.push(plain)
      plain = []
      regions.push(...order(sides.left, depth + 1), ...order(sides.right, depth + 1))
    }
    band = []
  }
  for (const row of rows) {
    if (row.cells.some((cell) => cell.x0 < gutter && cell.x1 > gutter)) {
      flush()
      plain.push(row)
    } else band.push(row)
  }
  flush()
  if (plain.length > 0) regions.push(plain)
  return regions
}

/** The x in the middle that the fewest lines cross, when it divides enough lines and the band around it is white. */
function findGutter(rows: readonly Row[]): number | null {
  const left = Math.min(...rows.map((row) => row.x0))
  const right = Math.max(...rows.map((row) => row.x1))
  const bins = Math.ceil(right - left)
  if (!(bins > 100) || bins > 20_000) return null
  const cover = new Int32Array(bins + 1)
  for (const row of rows) {
    for (const cell of row.cells) {
      const from = Math.max(0, Math.floor(cell.x0 - left))
      const to = Math.min(bins, Math.ceil(cell.x1 - left))
      for (let at = from; at < to; at += 1) cover[at] = (cover[at] ?? 0) + 1
    }
  }
  const from = Math.floor(bins * 0.15)
  const to = Math.ceil(bins * 0.85)
  let least = Infinity
  for (let at = from; at < to; at += 1) least = Math.min(least, cover[at] ?? 0)
  if (least > rows.length / 2) return null
  let best: { at: number; width: number } | null = null
  let run = 0
  for (let at = from; at <= to; at += 1) {
    if (at < to && (cover[at] ?? 0) === least) {
      run += 1
      continue
    }
    if (run >= GUTTER && (best === null || run > best.width)) best = { at: left + at - run / 2, width: run }
    run = 0
  }
  return best?.at ?? null
}

function columns(band: readonly Row[], gutter: number): { left: Row[]; right: Row[] } | null {
  const left: Row[] = []
  const right: Row[] = []
  for (const row of band) {
    const here: Segment[] = []
    const there: Segment[] = []
    for (const cell of row.cells) (cell.x0 < gutter ? here : there).push(cell)
    if (here.length > 0) left.push(toRow(here))
    if (there.length > 0) right.push(toRow(there))
  }
  return isColumn(left) && isColumn(right) ? { left, right } : null
}

/** May itself hold columns: then most of its lines have as many pieces, and each piece is prose. */
function isColumn(rows: readonly Row[]): boolean {
  if (rows.length < COLUMN_LINES) return false
  const width = Math.max(...rows.map((row) => row.x1)) - Math.min(...rows.map((row) => row.x0))
  const filled = rows.filter((row) => row.cells.reduce((sum, cell) => sum + cell.x1 - cell.x0, 0) >= FILLED * width)
  const cells = rows.flatMap((row) => row.cells)
  const chars = cells.reduce((sum, cell) => sum + cell.text.length, 0) / cells.length
  return filled.length >= rows.length / 2 && chars >= PROSE_CHARS
}
