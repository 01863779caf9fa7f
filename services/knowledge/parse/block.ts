import { headerOf, joinCells } from './cells.ts'
import type { Block, BlockKind } from './parsed-page.ts'

/** A block of a format without geometry; null where there is no text. */
export function block(kind: BlockKind, text: string, level = 0, header = ''): Block | null {
  const trimmed = kind === 'code' ? text.replace(/^\s*\n/, '').trim() : text.trim()
  return trimmed === '' ? null : { kind, level, text: trimmed, lines: [], header }
}

/** A table of so many rows at most; longer ones are several blocks with the same header. */
const ROWS_PER_BLOCK = 500

/** Rows as text, one a line. A header that is not given is looked for. */
export function tableBlocks(rows: readonly (readonly string[])[], known?: readonly string[]): Block[] {
  const filled = rows.map((row) => row.map(oneLine)).filter((row) => row.some((cell) => cell !== ''))
  const header = known === undefined ? headerOf(filled.slice(0, ROWS_PER_BLOCK)) : joinCells(known.map(oneLine))
  const blocks: Block[] = []
  for (let from = 0; from < filled.length; from += ROWS_PER_BLOCK) {
    const made = block(
      'table',
      filled
        .slice(from, from + ROWS_PER_BLOCK)
        .map(joinCells)
        .join('\n'),
      0,
      header,
    )
    if (made !== null) blocks.push(made)
  }
  return blocks
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
