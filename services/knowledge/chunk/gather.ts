import type { ChunkStrategy } from './chunk.ts'
import type { Piece } from './pieces.ts'
import { packed } from './split-text.ts'
import type { Unit } from './units.ts'

/** Pieces that become one chunk. */
export interface Gathered {
  readonly pieces: readonly Piece[]
  readonly tokens: number
  /** What the headings over all of it have in common. */
  readonly path: readonly string[]
  readonly alone: boolean
}

/** Pieces of a section packed evenly up to the cap, then small neighbours joined where their sections are akin. */
export function gather(pieces: readonly Piece[], strategy: ChunkStrategy): Gathered[] {
  return joinSmall(
    sections(pieces, strategy).flatMap((section) => pack(section, strategy)),
    strategy,
  )
}

function sections(pieces: readonly Piece[], { kind }: ChunkStrategy): Piece[][] {
  const found: Piece[][] = []
  for (const piece of pieces) {
    const section = found.at(-1)
    const last = section?.at(-1)
    const apart = last === undefined || last.alone || piece.alone || !sameSection(last, piece, kind)
    if (section === undefined || apart) found.push([piece])
    else section.push(piece)
  }
  return found
}

function sameSection(a: Piece, b: Piece, kind: ChunkStrategy['kind']): boolean {
  const [left, right] = [a.units.at(-1), b.units[0]]
  if (left === undefined || right === undefined) return false
  const byPage = kind === 'page' || left.flat
  if (byPage) return left.page === right.page
  return right.block.kind !== 'heading' && left.path === right.path
}

function pack(section: readonly Piece[], { kind, maxTokens, minTokens }: ChunkStrategy): Gathered[] {
  if (kind !== 'sentences') {
    let at = 0
    return packed(section, maxTokens).map((range) => {
      const from = at
      while (at < section.length && (section[at]?.end ?? Infinity) <= range.end) at += 1
      return gathered(section.slice(from, at))
    })
  }
  const windows: Piece[][] = []
  for (const piece of section) {
    const window = windows.at(-1)
    const tokens = window?.reduce((sum, one) => sum + one.tokens, 0) ?? 0
    if (window === undefined || tokens >= minTokens || tokens + piece.tokens > maxTokens) windows.push([piece])
    else window.push(piece)
  }
  return windows.map(gathered)
}

function gathered(pieces: readonly Piece[]): Gathered {
  return {
    pieces,
    tokens: pieces.reduce((sum, piece) => sum + piece.tokens, 0),
    path: pathOf(pieces.flatMap((piece) => piece.units)),
    alone: pieces.some((piece) => piece.alone),
  }
}

/** What is said decides; headings alone stand for themselves. */
function pathOf(units: readonly Unit[]): readonly string[] {
  const said = units.filter(({ block }) => block.kind !== 'heading')
  return (said.length === 0 ? units : said).map(({ path }) => path).reduce(common)
}

function joinSmall(chunks: readonly Gathered[], strategy: ChunkStrategy): Gathered[] {
  const joined: Gathered[] = []
  for (const chunk of chunks) {
    const last = joined.at(-1)
    if (last !== undefined && mayJoin(last, chunk, strategy)) {
      joined.pop()
      joined.push(gathered([...last.pieces, ...chunk.pieces]))
    } else joined.push(chunk)
  }
  return joined
}

function mayJoin(a: Gathered, b: Gathered, { kind, minTokens, maxTokens }: ChunkStrategy): boolean {
  if (a.alone || b.alone || a.tokens + b.tokens > maxTokens) return false
  if (a.tokens >= minTokens && b.tokens >= minTokens) return false
  const [left, right] = [a.pieces.at(-1)?.units.at(-1), b.pieces[0]?.units[0]]
  if (left === undefined || right === undefined) return false
  if ((kind === 'page' || left.flat || right.flat) && left.page !== right.page) return false
  if (kind === 'sentences' && left.path !== right.path) return false
  // Akin: the same section, one inside the other, or two that stand side by side under one heading.
  const shared = common(a.path, b.path).length
  const depth = Math.min(a.path.length, b.path.length)
  return shared === depth || (shared > 0 && shared >= depth - 1)
}

function common(a: readonly string[], b: readonly string[]): readonly string[] {
  if (a === b) return a
  let shared = 0
  while (shared < a.length && a[shared] === b[shared]) shared += 1
  return a.slice(0, shared)
}
