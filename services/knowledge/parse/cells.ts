/** Stands between the cells of a row, in every format. */
export const CELL_SEPARATOR = ' | '
/** Longer cells are content and no names of columns. */
const MAX_NAME_CHARS = 80

export function joinCells(cells: readonly string[]): string {
  return cells.join(CELL_SEPARATOR).replaceAll(/ {2,}/g, ' ').trim()
}

/** The first row, when it names and later ones count; '' when it is like the others, or when there is none after it. */
export function headerOf(rows: readonly (readonly string[])[]): string {
  const [first, ...rest] = rows
  if (first === undefined || rest.length === 0) return ''
  const filled = first.filter((cell) => cell !== '')
  if (filled.length < 2 || filled.some((cell) => cell.length > MAX_NAME_CHARS)) return ''
  // "Location: | Lyon": a form, whose first column names.
  if (rows.filter((row) => row[0]?.endsWith(':')).length > rows.length / 2) return ''
  const counts = (row: readonly string[]): number => row.filter((cell) => /^[-+$€£(]?\s?\d/.test(cell)).length
  return counts(first) === 0 || rest.some((row) => counts(row) > counts(first)) ? joinCells(first) : ''
}
