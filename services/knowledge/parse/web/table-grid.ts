import { oneLine } from '../block.ts'
import { inlineText } from './inline-text.ts'
import type { HtmlElement } from './parse-html.ts'

export interface TableGrid {
  readonly caption: string
  readonly rows: readonly (readonly string[])[]
  /** Names of the columns where the markup says them. */
  readonly header: readonly string[] | undefined
  /** Laid out with a table, as pages and mails used to be: not a table to a reader. */
  readonly isLayout: boolean
}

/** Wider spans are nonsense. */
const MAX_SPAN = 100
/** A cell with more text than this beside no more than one other is layout. */
const LAYOUT_CHARS = 600

/** Rows of cells. A cell over several rows is told in each, so that each row can be read alone. */
export function tableGrid(table: HtmlElement): TableGrid {
  const lines = rowsOf(table)
  const held: { text: string; rows: number }[] = []
  const rows: string[][] = []
  let header: string[] | undefined
  for (const line of lines) {
    const row: string[] = []
    let column = 0
    const fill = (): void => {
      for (let above = held[column]; above !== undefined && above.rows > 0; above = held[column]) {
        row[column] = above.text
        above.rows -= 1
        column += 1
      }
    }
    const cells = [...line.children].filter((cell) => cell.localName === 'td' || cell.localName === 'th')
    for (const cell of cells) {
      fill()
      const text = oneLine(inlineText(cell))
      const wide = span(cell, 'colspan')
      const high = span(cell, 'rowspan')
      for (let at = 0; at < wide; at += 1) {
        row[column] = at === 0 ? text : ''
        held[column] = { text: at === 0 ? text : '', rows: high - 1 }
        column += 1
      }
    }
    fill()
    const named = cells.length > 1 && cells.every((cell) => cell.localName === 'th')
    if (named && header === undefined && rows.every((earlier) => earlier.filter((cell) => cell !== '').length < 2)) {
      header = row.map((cell) => cell ?? '')
    }
    rows.push(Array.from(row, (cell) => cell ?? ''))
  }
  const captioned = [...table.children].find((child) => child.localName === 'caption')
  const widest = Math.max(0, ...rows.map((row) => row.filter((cell) => cell !== '').length))
  const role = table.getAttribute('role')
  const nested = [...table.querySelectorAll('table')].length > 0
  const long = rows.some((row) => row.some((cell) => cell.length > LAYOUT_CHARS))
  return {
    caption: captioned === undefined ? '' : inlineText(captioned),
    rows,
    header,
    isLayout:
      role === 'presentation' ||
      role === 'none' ||
      (header === undefined && ((widest < 2 && long) || (widest <= 2 && nested && long))),
  }
}

function rowsOf(table: HtmlElement): HtmlElement[] {
  return [...table.children].flatMap((child) => {
    if (child.localName === 'tr') return [child]
    return /^t(?:head|body|foot)$/.test(child.localName)
      ? [...child.children].filter((row) => row.localName === 'tr')
      : []
  })
}

function span(cell: HtmlElement, name: string): number {
  return Math.min(MAX_SPAN, Math.max(1, Math.floor(Number(cell.getAttribute(name) ?? 1)) || 1))
}
