import { rowText } from './rows.ts'
import type { Row } from './rows.ts'

/** Sizes of headings as shares of the size of the body, and the level each stands for. */
const LEVELS: readonly (readonly [ratio: number, level: number])[] = [
  [1.7, 1],
  [1.35, 2],
  [1.12, 3],
]
const BOLD_LEVEL = 4
const MAX_CHARS = 200
const MAX_BOLD_CHARS = 120
const MAX_LEVEL = 6
const DEFAULT_SIZE = 10
const NUMBERED = /^(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?|[IVX]{1,5}\.|[A-Z]\.)\s+\p{Lu}/u

/**
 * 1 to 6 for a row that is a heading by its size, or by its weight where the line after it is lighter; else 0. A number
 * before it says its level better than its size does.
 */
export function headingLevel(row: Row, next: Row | undefined, bodySize: number): number {
  if (row.cells.length > 2 || row.mono) return 0
  const text = rowText(row)
  if (text.length > MAX_CHARS || !/\p{L}{2}/u.test(text)) return 0
  const bySize = LEVELS.find(([ratio]) => row.size >= ratio * bodySize)?.[1] ?? 0
  const numbered = NUMBERED.exec(text)?.[0]
  if (bySize === 0) {
    if (!row.bold || row.size < 0.95 * bodySize || text.length > MAX_BOLD_CHARS) return 0
    if (/[.,;]$/.test(text) || (text.endsWith(':') && row.cells.length > 1)) return 0
    // A bold paragraph, or the bold beginning of one.
    if (next !== undefined && next.bold && next.baseline - row.baseline < 1.5 * row.size && numbered === undefined) {
      if (rowText(next).length > MAX_BOLD_CHARS || row.x1 - row.x0 > 0.8 * (next.x1 - next.x0)) return 0
    }
  }
  // Large type that ends as a sentence does is a lead or a quotation.
  if (bySize > 1 && /[a-z]{2}[.;,]$/.test(text) && text.length > 60) return 0
  if (numbered !== undefined) {
    const parts = numbered.trim().split(/\s/)[0]?.replace(/\.$/, '').split('.').length ?? 1
    return Math.min(MAX_LEVEL, Math.max(parts, bySize === 1 ? 1 : parts === 1 && bySize > 1 ? bySize : parts))
  }
  return bySize === 0 ? BOLD_LEVEL : bySize
}

/** Share of the characters from which a size is a body's. */
const BODY_SHARE = 0.2

/**
 * The size of running text, to half a point: the largest that a good part of the characters has, for tables and notes, of
 * which some documents mostly consist, are set smaller than the text around them.
 */
export function bodySizeOf(rows: Iterable<Row>): number {
  const chars = new Map<number, number>()
  let all = 0
  for (const row of rows) {
    for (const cell of row.cells) {
      const size = Math.round(cell.size * 2) / 2
      chars.set(size, (chars.get(size) ?? 0) + cell.text.length)
      all += cell.text.length
    }
  }
  const sizes = [...chars].filter(([, count]) => count >= BODY_SHARE * all).map(([size]) => size)
  return sizes.length === 0 ? DEFAULT_SIZE : Math.max(...sizes)
}
