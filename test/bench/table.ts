import pc from 'picocolors'

import type { Row } from './row.ts'

const HEAD = ['figure', 'value', 'unit', 'baseline', 'ratio', 'bar', '']

/** Rows as aligned text; what a row notes stands below it. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    shown(row.value),
    row.unit,
    shown(row.baseline),
    row.ratio === null ? '–' : `${row.ratio.toFixed(2)}x`,
    row.bar,
    row.ok === null ? '' : row.ok ? 'ok' : 'MISSED',
  ])
  const widths = HEAD.map((head, column) => Math.max(head.length, ...cells.map((line) => line[column]!.length)))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => (isNumber(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)))
      .join('  ')
  const body = rows.flatMap((row, index) => {
    const text = line(cells[index]!).trimEnd()
    const marked = row.ok === false ? pc.red(text) : text
    return row.note === undefined ? [marked] : [marked, pc.dim(`    ${row.note}`)]
  })
  return [pc.bold(line(HEAD).trimEnd()), ...body].join('\n')
}

function isNumber(column: number): boolean {
  return column === 1 || column === 3 || column === 4
}

function shown(value: number | null): string {
  if (value === null) return '–'
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}
