import { parse } from 'csv-parse/sync'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { tableBlocks } from '../block.ts'
import { onePage } from '../one-page.ts'
import { questionRows } from '../question-rows.ts'
import type { Reader } from '../reader.ts'
import { decodeText } from './decode-text.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const
/** Lines the delimiter is told from. */
const LOOKED_AT = 20
const MAX_RECORD_BYTES = 1_048_576

/** A table whose first row names its columns, unless it counts as the others do. */
export const readCsv: Reader = async ({ bytes }, ports) => {
  const text = decodeText(bytes)
  const rows = csvRows(text)
  return onePage(ports, questionRows(rows) ?? tableBlocks(rows), '', { rows: String(rows.length) })
}

export function csvRows(text: string): string[][] {
  try {
    return parse(text, {
      delimiter: delimiterOf(text),
      relaxColumnCount: true,
      relaxQuotes: true,
      skipEmptyLines: true,
      maxRecordSize: MAX_RECORD_BYTES,
    }) as string[][]
  } catch (thrown) {
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 1, reason: coerceError(thrown).message }, { cause: thrown })
  }
}

/** The one that divides most lines into the same number of cells, more than one. */
export function delimiterOf(text: string): string {
  const lines = text.split('\n', LOOKED_AT).filter((line) => line.trim() !== '')
  let best: { delimiter: string; score: number } = { delimiter: ',', score: 0 }
  for (const delimiter of DELIMITERS) {
    const counts = lines.map((line) => line.replaceAll(/"[^"]*"/g, '').split(delimiter).length)
    const common = counts.toSorted((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 1
    const score = common > 1 ? counts.filter((count) => count === common).length * Math.min(common, 5) : 0
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}
