import { toRow } from './rows.ts'
import type { Row, Segment } from './rows.ts'

export interface PageRows {
  readonly number: number
  readonly height: number
  readonly rows: readonly Row[]
}

/** Pages on either side that are compared: left and right pages may differ. */
export const NEIGHBOURS = 2
/** Lines at each end of a page that may be a running header or footer, and how far in, as a share of its height. */
const MARGIN_LINES = 3
const MARGIN = 0.16
/** Points by which its place may differ. */
const DRIFT = 6
/** A line of so many pieces is the header of a table that goes on. */
const MOST_PIECES = 4
/** A longer line that holds a number is a sentence, and so is one that ends as sentences do. */
const MAX_COUNTING_CHARS = 60
const PAGE_NUMBER = /^(?:page|p\.|-|–)?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:(?:of|\/)\s*\d{1,4}|-|–)?$/i

/**
 * The rows of a page without headers and footers that run through its neighbours: the same text, but for a page number that
 * counts with the pages, at the same height. Only near pages are looked at, so that what is dropped does not depend on
 * where reading began.
 */
export function withoutRunningLines(page: PageRows, neighbours: readonly PageRows[], bodySize: number): Row[] {
  const here = marginal(page)
  const last = page.rows.at(-1)?.cells ?? []
  const dropped = new Set<Segment>()
  for (const other of neighbours) {
    if (other.number === page.number) continue
    const there = marginal(other)
    // Some writers put the footer below the text, however short the page is: then it is told by its page number alone.
    const lastThere = other.rows.at(-1)?.cells ?? []
    for (const cell of last) {
      if (lastThere.some((twin) => counts(cell, twin, other.number - page.number))) dropped.add(cell)
    }
    for (const cell of here) {
      if (there.some((twin) => runs(cell, twin, other.number - page.number, bodySize))) dropped.add(cell)
    }
  }
  if (dropped.size === 0) return [...page.rows]
  return page.rows.flatMap((row) => {
    const kept = row.cells.filter((cell) => !dropped.has(cell))
    return kept.length === 0 ? [] : [kept.length === row.cells.length ? row : toRow(kept)]
  })
}

function marginal({ rows, height }: PageRows): Segment[] {
  const top = rows.slice(0, MARGIN_LINES).filter((row) => row.top < MARGIN * height)
  const bottom = rows.slice(-MARGIN_LINES).filter((row) => row.bottom > (1 - MARGIN) * height)
  return [...new Set([...top, ...bottom])].filter((row) => row.cells.length < MOST_PIECES).flatMap((row) => row.cells)
}

function runs(cell: Segment, twin: Segment, pagesApart: number, bodySize: number): boolean {
  if (Math.abs(cell.baseline - twin.baseline) > DRIFT) return false
  if (cell.text === twin.text) return true
  if (PAGE_NUMBER.test(cell.text) && PAGE_NUMBER.test(twin.text)) return true
  // "Chapter 7" over chapter 7 is a heading, "Report 2022, 14" a header.
  if (cell.size > 1.12 * bodySize) return false
  return counts(cell, twin, pagesApart)
}

/** The same words, and numbers that are the same or count with the pages, one of which does. */
function counts(cell: Segment, twin: Segment, pagesApart: number): boolean {
  if (cell.text.length > MAX_COUNTING_CHARS || /\p{Ll}{2}[.!?]$/u.test(cell.text)) return false
  if (cell.text.replaceAll(/\d+/g, '#') !== twin.text.replaceAll(/\d+/g, '#')) return false
  const [mine, theirs] = [numbers(cell.text), numbers(twin.text)]
  return (
    mine.every((number, at) => theirs[at] === number || theirs[at] === number + pagesApart) &&
    mine.some((number, at) => theirs[at] === number + pagesApart)
  )
}

function numbers(text: string): number[] {
  return Array.from(text.matchAll(/\d+/g), ([digits]) => Number(digits))
}
