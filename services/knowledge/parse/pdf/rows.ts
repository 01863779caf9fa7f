import { ASCENT, DESCENT } from './text-run.ts'
import type { TextRun } from './text-run.ts'

/** Text on one baseline without a gap that could separate columns. */
export interface Segment {
  readonly text: string
  readonly x0: number
  readonly x1: number
  readonly top: number
  readonly bottom: number
  readonly baseline: number
  readonly size: number
  readonly bold: boolean
  readonly mono: boolean
}

/** Segments side by side on one baseline. */
export interface Row {
  readonly cells: readonly Segment[]
  readonly x0: number
  readonly x1: number
  readonly top: number
  readonly bottom: number
  readonly baseline: number
  readonly size: number
  readonly bold: boolean
  readonly mono: boolean
}

// All in ems.
/** A gap from here on is a blank. */
const BLANK = 0.13
/** A gap from here on separates columns: justified text does not stretch its blanks that far. */
const COLUMN_GAP = 1
/** From a list's mark to its item, and from a currency sign to its amount. */
const MARK_GAP = 4
const SIGN_GAP = 6
/** Baselines this near are one line; small print may be further (exponents, footnote marks). */
const SAME_BASELINE = 0.25
const RAISED = 0.55
const SMALL = 0.8

/** Dots that lead the eye to a page number. */
const LEADER = /\s*(?:\.\s?){5,}|\s*…{2,}\s*/g

export const LIST_MARK = /^(?:[•‣◦▪▫●○■□◆◇➢➤✓·–—*-]|\uf0b7|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)])$/
const SIGN = /^[$€£¥(]+$/

export function toRows(runs: readonly TextRun[]): Row[] {
  const sorted = runs.toSorted((a, b) => a.baseline - b.baseline || a.x0 - b.x0)
  const lines: TextRun[][] = []
  for (const run of sorted) {
    const line = nearest(lines, run)
    if (line === undefined) lines.push([run])
    else line.push(run)
  }
  return lines.map((line) => toRow(segments(line))).toSorted((a, b) => a.baseline - b.baseline)
}

/** Only the last few lines can be meant: runs come sorted by baseline. */
function nearest(lines: readonly TextRun[][], run: TextRun): TextRun[] | undefined {
  for (let at = lines.length - 1; at >= Math.max(0, lines.length - 4); at -= 1) {
    const line = lines[at]
    const main = line?.reduce((big, other) => (other.size > big.size ? other : big))
    if (line === undefined || main === undefined) continue
    const size = Math.max(main.size, run.size)
    const away = Math.abs(main.baseline - run.baseline)
    const small = Math.min(main.size, run.size) < SMALL * size
    if (away <= SAME_BASELINE * size) return line
    // Raised or lowered small print belongs to a line only where it touches it.
    if (small && away <= RAISED * size && line.some((other) => touches(other, run, size))) return line
  }
  return undefined
}

function touches(a: TextRun, b: TextRun, size: number): boolean {
  return b.x0 - a.x1 < 0.5 * size && a.x0 - b.x1 < 0.5 * size
}

function segments(line: readonly TextRun[]): Segment[] {
  const found: Segment[] = []
  let open: TextRun[] = []
  let text = ''
  const close = (): void => {
    if (open.length > 0) found.push(toSegment(open, text))
    open = []
    text = ''
  }
  for (const run of line.toSorted((a, b) => a.x0 - b.x0)) {
    const last = open.at(-1)
    if (last !== undefined) {
      const gap = (run.x0 - last.x1) / Math.max(last.size, run.size)
      const first = found.length === 0
      const most = first && LIST_MARK.test(text) ? MARK_GAP : SIGN.test(text) ? SIGN_GAP : COLUMN_GAP
      if (run.x1 < last.x1 && run.size < SMALL * last.size) {
        text = overlaid(text, last, run)
        continue
      }
      if (gap >= most) close()
      // A bold face is printed by some writers as the same text twice, a hair apart.
      else if (run.text === last.text && Math.abs(run.x0 - last.x0) < 0.1 * run.size) continue
      else if (gap >= BLANK && !SIGN.test(text)) text += ' '
    }
    open.push(run)
    text += run.text
  }
  close()
  return found
}

/** A raised sign over a blank that the line leaves for it: put in where it stands. */
function overlaid(text: string, line: TextRun, sign: TextRun): string {
  const share = (sign.x0 - line.x0) / (line.x1 - line.x0)
  const near = text.length - line.text.length + Math.round(share * line.text.length)
  const blank = text.indexOf(' ', Math.max(0, near - 3))
  return blank < 0 || blank > near + 3 ? `${text}${sign.text}` : text.slice(0, blank) + sign.text + text.slice(blank)
}

function toSegment(runs: readonly TextRun[], text: string): Segment {
  const main = runs.reduce((big, other) => (other.size > big.size ? other : big))
  const chars = runs.reduce((sum, run) => sum + run.text.length, 0)
  const share = (has: (run: TextRun) => boolean): boolean =>
    runs.reduce((sum, run) => sum + (has(run) ? run.text.length : 0), 0) > 0.8 * chars
  return {
    text: clean(text),
    x0: Math.min(...runs.map((run) => run.x0)),
    x1: Math.max(...runs.map((run) => run.x1)),
    top: main.baseline - ASCENT * main.size,
    bottom: main.baseline + DESCENT * main.size,
    baseline: main.baseline,
    size: main.size,
    bold: share((run) => run.bold),
    mono: share((run) => run.mono),
  }
}

export function toRow(cells: readonly Segment[]): Row {
  const longest = cells.reduce((long, cell) => (cell.text.length > long.text.length ? cell : long))
  return {
    cells,
    x0: Math.min(...cells.map((cell) => cell.x0)),
    x1: Math.max(...cells.map((cell) => cell.x1)),
    top: Math.min(...cells.map((cell) => cell.top)),
    bottom: Math.max(...cells.map((cell) => cell.bottom)),
    baseline: longest.baseline,
    size: longest.size,
    bold: cells.every((cell) => cell.bold),
    mono: cells.every((cell) => cell.mono),
  }
}

export function rowText(row: Row): string {
  return row.cells.map((cell) => cell.text).join(' ')
}

/** One blank for any; no control characters or soft hyphens; ligatures and full-width forms spelled out. */
function clean(text: string): string {
  return text
    .replaceAll(/[\ufb00-\ufb06]/g, (ligature) => ligature.normalize('NFKC'))
    .replaceAll('\uf0b7', '•')
    .replaceAll(LEADER, ' … ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\u200b\ufeff]/gu, '')
    .trim()
}
