import { countTokens } from '#shared/text/tokens.ts'

import type { ChunkStrategy } from './chunk.ts'
import { byLines, bySentences, splitText } from './split-text.ts'
import type { Range } from './split-text.ts'
import type { Unit } from './units.ts'

/** A part of a block, or neighbours that must not be parted; no larger than the cap. */
export interface Piece extends Range {
  readonly units: readonly Unit[]
  /** Is a chunk by itself: a question with its answer, a row. */
  readonly alone: boolean
}

const LINED = new Set(['table', 'list', 'code'])

export function toPieces(units: readonly Unit[], strategy: ChunkStrategy): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < units.length;) {
    const pair = pairAt(units, at, strategy)
    const bundle = pair ?? companions(units, at)
    const taken = units.slice(at, at + bundle)
    at += bundle
    const tokens = taken.reduce((sum, unit) => sum + countTokens(unit.block.text), 0)
    if (bundle > 1 && tokens <= strategy.maxTokens && !isDivided(taken, strategy)) {
      pieces.push({ ...spanOf(taken), tokens, units: taken, alone: pair !== null })
    } else for (const unit of taken) pieces.push(...parts(unit, strategy, pair !== null))
  }
  return pieces
}

/** How many blocks make a question with its answer; null where none begins. */
function pairAt(units: readonly Unit[], at: number, { kind }: ChunkStrategy): number | null {
  const first = units[at]
  if (first === undefined) return null
  let end = at + 1
  if (first.block.kind === 'question') {
    while (units[end]?.block.kind === 'answer') end += 1
  } else if (kind === 'qa' && first.block.kind === 'heading' && first.block.text.endsWith('?')) {
    while (units[end] !== undefined && units[end]?.block.kind !== 'heading') end += 1
  }
  return end - at > 1 ? end - at : null
}

/** How many blocks belong together: a heading and what it is over, a caption and its table, "as follows:" and its list. */
function companions(units: readonly Unit[], at: number): number {
  let end = at
  while (
    units[end]?.block.kind === 'heading' &&
    units[end + 1] !== undefined &&
    sameFlatPage(units[end], units[end + 1])
  ) {
    end += 1
  }
  const [unit, next] = [units[end], units[end + 1]]
  const leads =
    next !== undefined &&
    sameFlatPage(unit, next) &&
    ((unit?.block.kind === 'caption' && next.block.kind === 'table') ||
      (unit?.block.kind === 'paragraph' &&
        unit.block.text.endsWith(':') &&
        /^(?:list|table|code)$/.test(next.block.kind)))
  // A question is its own piece, also below a heading.
  if (unit?.block.kind === 'question' && end > at) return end - at
  return end - at + (leads ? 2 : 1)
}

function sameFlatPage(a: Unit | undefined, b: Unit | undefined): boolean {
  return a?.flat !== true || a.page === b?.page
}

function isDivided(units: readonly Unit[], { kind }: ChunkStrategy): boolean {
  return (
    kind === 'sentences' ||
    (kind === 'rows' && units.some(({ block }) => block.kind === 'table' || block.kind === 'list'))
  )
}

function parts(unit: Unit, strategy: ChunkStrategy, alone: boolean): Piece[] {
  const { block, start } = unit
  const place = (range: Range, own: boolean): Piece => ({
    start: start + range.start,
    end: start + range.end,
    tokens: range.tokens,
    units: [unit],
    alone: own,
  })
  const { kind, maxTokens } = strategy
  if (kind === 'rows' && (block.kind === 'table' || block.kind === 'list')) {
    return rowRanges(block.text, block.header).flatMap((row) =>
      splitText(block.text.slice(row.start, row.end), maxTokens).map((range) =>
        place({ start: row.start + range.start, end: row.start + range.end, tokens: range.tokens }, true),
      ),
    )
  }
  if (kind === 'sentences' && !LINED.has(block.kind) && block.kind !== 'heading') {
    return bySentences(block.text).flatMap(({ start: from, end }) =>
      splitText(block.text.slice(from, end), maxTokens).map((range) =>
        place({ start: from + range.start, end: from + range.end, tokens: range.tokens }, alone),
      ),
    )
  }
  const cuts = LINED.has(block.kind) || block.text.includes('\n') ? [byLines, bySentences] : [bySentences]
  return splitText(block.text, maxTokens, cuts).map((range) => place(range, alone))
}

/** Each line, the header with the first row below it; what is set in (a nested item) with the line above. */
function rowRanges(text: string, header: string): { start: number; end: number }[] {
  const rows: { start: number; end: number }[] = []
  for (const { start, end } of byLines(text)) {
    const last = rows.at(-1)
    const nested = start > 0 && text[start - 1] === ' '
    const afterHeader = rows.length === 1 && last !== undefined && text.slice(last.start, last.end) === header
    if (last !== undefined && (nested || afterHeader)) last.end = end
    else rows.push({ start, end })
  }
  return rows
}

function spanOf(units: readonly Unit[]): { start: number; end: number } {
  return { start: units[0]?.start ?? 0, end: units.at(-1)?.end ?? 0 }
}
