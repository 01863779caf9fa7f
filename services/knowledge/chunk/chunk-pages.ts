/**
 * Pages to chunks. Invariants, for every strategy:
 *
 * - a chunk's text is exactly the canonical text from its start to its end
 * - chunks are in order, do not overlap, and leave out nothing but white space
 * - none has more than `maxTokens`
 */
import { countTokens } from '#shared/text/tokens.ts'

import { canonicalText } from '../parse/canonical-text.ts'
import type { Box, ParsedPage } from '../parse/parsed-page.ts'
import type { Chunk, ChunkStrategy } from './chunk.ts'
import { gather } from './gather.ts'
import type { Gathered } from './gather.ts'
import { parentOrdinals } from './parents.ts'
import { toPieces } from './pieces.ts'
import { toUnits } from './units.ts'
import type { Unit } from './units.ts'

/** `language` says the ISO 639-1 code of a text, or ''. */
export function chunkPages(
  pages: Iterable<ParsedPage>,
  strategy: ChunkStrategy,
  language: (text: string) => string = () => '',
): Chunk[] {
  const all = [...pages]
  const canonical = canonicalText(all)
  const chunks = gather(toPieces(toUnits(all), strategy), strategy).map((one, ordinal) =>
    toChunk(one, ordinal, canonical, language),
  )
  const parents = strategy.parents ? parentOrdinals(chunks, strategy.maxTokens) : []
  return chunks.map((chunk) => ({ ...chunk, parent: parents[chunk.ordinal] ?? null }))
}

function toChunk(
  { pieces, path }: Gathered,
  ordinal: number,
  canonical: string,
  language: (text: string) => string,
): Chunk {
  const start = pieces[0]?.start ?? 0
  const end = pieces.at(-1)?.end ?? start
  const text = canonical.slice(start, end)
  const units = [...new Set(pieces.flatMap((piece) => piece.units))]
  const [first, last] = [units[0], units.at(-1)]
  return {
    ordinal,
    start,
    end,
    text,
    headings: path,
    header: headerOf(first, text),
    kind: longest(units, start, end),
    pages: [first?.page ?? 1, last?.page ?? 1],
    boxes: boxesOf(units, start, end),
    language: language(text),
    tokens: countTokens(text),
    parent: null,
  }
}

/** Of the table it begins in the middle of; one that begins inside brings its own. */
function headerOf(first: Unit | undefined, text: string): string {
  const header = first?.block.header ?? ''
  return header === '' || text.includes(header) ? '' : header
}

function longest(units: readonly Unit[], start: number, end: number): string {
  let [kind, most] = ['paragraph', -1]
  for (const unit of units) {
    const length = Math.min(end, unit.end) - Math.max(start, unit.start)
    if (length > most) [kind, most] = [unit.block.kind, length]
  }
  return kind
}

function boxesOf(units: readonly Unit[], start: number, end: number): { page: number; box: Box }[] {
  const byPage = new Map<number, Box>()
  for (const unit of units) {
    for (const line of unit.block.lines) {
      if (unit.start + line.end <= start || unit.start + line.start >= end) continue
      const box = byPage.get(unit.page)
      byPage.set(unit.page, box === undefined ? line.box : around(box, line.box))
    }
  }
  return Array.from(byPage, ([page, box]) => ({ page, box }))
}

function around(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]
}
