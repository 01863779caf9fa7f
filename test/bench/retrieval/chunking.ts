import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'csv-parse/sync'

/** Long documents, and questions with the character spans that answer them (brandonstarxel/chunking_evaluation, MIT). */
export interface ChunkingData {
  /** Name -> text. */
  readonly corpora: ReadonlyMap<string, string>
  readonly questions: readonly SpanQuestion[]
}

export interface Span {
  readonly start: number
  readonly end: number
}

export interface SpanQuestion {
  readonly text: string
  readonly corpus: string
  readonly gold: readonly Span[]
}

export function readChunkingData(folder: string): ChunkingData {
  const rows = parse<{ question: string; references: string; corpus_id: string }>(
    readFileSync(join(folder, 'q.csv'), 'utf8'),
    { columns: true },
  )
  const questions = rows.map((row) => {
    const references = JSON.parse(row.references) as readonly { start_index: number; end_index: number }[]
    const gold = references.map((one) => ({ start: one.start_index, end: one.end_index }))
    return { text: row.question, corpus: row.corpus_id, gold }
  })
  const names = [...new Set(questions.map(({ corpus }) => corpus))]
  return { corpora: new Map(names.map((name) => [name, readFileSync(join(folder, `${name}.md`), 'utf8')])), questions }
}

const SEPARATORS = ['\n\n', '\n', '. ', ' '] as const

/**
 * The splitter everybody ships, with the places it cut at: the coarsest separator that gives pieces small enough, pieces
 * then joined up to `most` characters, without overlap. The baseline for structure-aware chunks of the same size.
 */
export function recursiveSplit(text: string, most: number, at = 0, separators: readonly string[] = SEPARATORS): Span[] {
  if (text.length <= most) return text.trim() === '' ? [] : [{ start: at, end: at + text.length }]
  const [separator, ...finer] = separators
  if (separator === undefined)
    return Array.from({ length: Math.ceil(text.length / most) }, (_, n) => ({
      start: at + n * most,
      end: at + Math.min(text.length, (n + 1) * most),
    }))
  const spans: Span[] = []
  let start = 0
  let end = 0
  const close = (): void => {
    if (end > start) spans.push(...recursiveSplit(text.slice(start, end), most, at + start, finer))
    start = end
  }
  for (const piece of text.split(separator)) {
    const next = Math.min(text.length, end + piece.length + separator.length)
    if (next - start > most) close()
    end = next
  }
  close()
  return spans
}

/** Share of the gold characters that stand in the spans found. */
export function spanRecall(found: readonly Span[], gold: readonly Span[]): number {
  const covered = new Set<number>()
  let total = 0
  for (const { start, end } of gold) {
    total += end - start
    for (const one of found)
      for (let at = Math.max(start, one.start); at < Math.min(end, one.end); at += 1) covered.add(at)
  }
  return total === 0 ? 0 : covered.size / total
}

/** For each question the share of its gold that the first `depth` chunks hold; `find` gives their spans and corpus. */
export async function chunkRecall(
  find: (question: string, depth: number) => Promise<readonly (Span & { readonly corpus: string })[]>,
  questions: readonly SpanQuestion[],
  depth = 5,
): Promise<number[]> {
  const shares: number[] = []
  for (const { text, corpus, gold } of questions) {
    const found = (await find(text, depth)).filter((one) => one.corpus === corpus)
    shares.push(spanRecall(found, gold))
  }
  return shares
}
