import { readXml } from '../archive/read-xml.ts'

/** Number formats of the standard that show a date or a time. */
const BUILTIN_DATES: readonly (readonly [from: number, to: number])[] = [
  [14, 22],
  [27, 36],
  [45, 47],
  [50, 58],
]
const MS_PER_DAY = 86_400_000
/** Day 0 of the two calendars; the first takes 1900 for a leap year, as its model did. */
const EPOCH_1900 = Date.UTC(1899, 11, 30)
const EPOCH_1904 = Date.UTC(1904, 0, 1)
const MAX_SERIAL = 2_958_465

/** Indexes of the cell styles that show numbers as dates. */
export function dateStyles(styles: Uint8Array | undefined): Set<number> {
  const dates = new Set<number>()
  if (styles === undefined) return dates
  const custom = new Set<number>()
  let inCells = false
  let index = 0
  readXml(styles, {
    open({ name, attributes }) {
      if (name === 'numFmt' && showsDate(attributes['formatCode'] ?? '')) custom.add(Number(attributes['numFmtId']))
      if (name === 'cellXfs') inCells = true
      if (name !== 'xf' || !inCells) return
      const format = Number(attributes['numFmtId'])
      if (custom.has(format) || BUILTIN_DATES.some(([from, to]) => format >= from && format <= to)) dates.add(index)
      index += 1
    },
    close: (name) => {
      if (name === 'cellXfs') inCells = false
    },
  })
  return dates
}

function showsDate(code: string): boolean {
  return /[ymdhs]/i.test(code.replaceAll(/"[^"]*"|\\.|\[[^\]]*\]/g, '').replaceAll(/general|red|e\+/gi, ''))
}

/** "2026-03-01", "2026-03-01 14:30" or "14:30". */
export function serialDate(value: string, epoch1904: boolean): string {
  const serial = Number(value)
  if (!Number.isFinite(serial) || serial < 0 || serial > MAX_SERIAL) return value
  const ms = Math.round((serial * MS_PER_DAY) / 1_000) * 1_000
  const iso = new Date((epoch1904 ? EPOCH_1904 : EPOCH_1900) + ms).toISOString()
  const time = iso.slice(11, 19).replace(/:00$/, '')
  if (serial < 1) return time
  return Number.isInteger(serial) ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${time}`
}
