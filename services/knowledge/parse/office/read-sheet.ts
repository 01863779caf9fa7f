import { WaggleError } from '#shared/errors/waggle-error.ts'

import { readXml } from '../archive/read-xml.ts'
import { oneLine } from '../block.ts'
import { serialDate } from './sheet-dates.ts'

/** A row of a sheet may say it stands anywhere; further columns are an attack. */
const MAX_COLUMNS = 2_000

export interface SheetOptions {
  readonly strings: readonly string[]
  /** Indexes of cell styles that show a number as a date. */
  readonly dates: ReadonlySet<number>
  readonly epoch1904: boolean
  readonly maxChars: number
}

/** What a reader of the sheet sees: computed values, dates as dates. Gaps between rows are one empty row. */
export function readSheet(bytes: Uint8Array, { strings, dates, epoch1904, maxChars }: SheetOptions): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let column = 0
  let lastRow = 0
  let cell = { type: '', style: 0 }
  let value = ''
  let taking = false
  let chars = 0
  const show = (): string => {
    if (cell.type === 's') return strings[Number(value)] ?? ''
    if (cell.type === 'b') return value === '1' ? 'TRUE' : 'FALSE'
    if (cell.type === '' || cell.type === 'n')
      return dates.has(cell.style) ? serialDate(value, epoch1904) : plainNumber(value)
    return value
  }
  readXml(bytes, {
    open({ name, attributes }) {
      if (name === 'row') {
        const number = Number(attributes['r'] ?? lastRow + 1)
        if (number > lastRow + 1 && rows.length > 0) rows.push([])
        lastRow = number
        row = []
        column = 0
      } else if (name === 'c') {
        column = columnOf(attributes['r'] ?? '') ?? column
        if (column >= MAX_COLUMNS)
          throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: `A sheet has more than ${MAX_COLUMNS} columns.` })
        cell = { type: attributes['t'] ?? '', style: Number(attributes['s'] ?? -1) }
        value = ''
      }
      taking = name === 'v' || name === 't'
    },
    close(name) {
      taking = false
      if (name === 'c') {
        const shown = value === '' ? '' : oneLine(show())
        chars += shown.length
        if (chars > maxChars) throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: 'It holds too much text.' })
        row[column] = shown
        column += 1
      }
      if (name === 'row') rows.push(Array.from(row, (shown) => shown ?? ''))
    },
    text: (text) => {
      if (taking) value += text
    },
  })
  return rows
}

function columnOf(reference: string): number | null {
  const letters = /^[A-Z]{1,3}/.exec(reference)?.[0]
  if (letters === undefined) return null
  let column = 0
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64
  return column - 1
}

/** 0.1 + 0.2 is stored with all of its digits, and shown as 0.3. */
function plainNumber(value: string): string {
  const number = Number(value)
  return Number.isFinite(number) && value.length > 12 ? String(Number(number.toPrecision(12))) : value
}
