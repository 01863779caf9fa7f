import type { RunContext } from '#shared/actor/definition.ts'
import type { CollectionSettings } from '#shared/contracts/knowledge.ts'
import { closeSegment, saveChunks, savePostings } from '#shared/db/repositories/knowledge/chunks.ts'
import type { ChunkRow, Posting } from '#shared/db/repositories/knowledge/chunks.ts'
import { switchVersion, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { pagesOf } from '#shared/db/repositories/knowledge/pages.ts'
import type { PageRow } from '#shared/db/repositories/knowledge/pages.ts'
import { indexTerms } from '#shared/ranking/terms.ts'
import { languageOf } from '#shared/text/language.ts'
import { chunkPages } from '../chunk/chunk-pages.ts'
import type { Chunk } from '../chunk/chunk.ts'
import type { Block, ParsedPage } from '../parse/parsed-page.ts'
import type { Progress } from './progress.ts'

/** Chunks and terms of one transaction: each is short, so that a takeover never waits for long. */
const CHUNKS_PER_COMMIT = 400
const POSTINGS_PER_COMMIT = 4_000

/** Cuts a version that is read, and writes its part of the index. Done again after a crash it writes the same. */
export async function indexVersion(
  ctx: RunContext,
  row: VersionRow,
  settings: CollectionSettings,
  progress: Progress,
): Promise<number> {
  await progress.reach('chunking')
  const { document, version } = row
  const pages = await ctx.sql((sql) => pagesOf(sql, document, version))
  const chunks = chunkPages(pages.map(parsedPage), settings.chunks, languageOf)
  // What it is called may have been read in it.
  const title = (await ctx.sql((sql) => versionOf(sql, document, version)))?.title ?? row.title
  const { rows, postings, length } = segmentOf(chunks, title)
  for (let at = 0; at < rows.length; at += CHUNKS_PER_COMMIT)
    await ctx.sql((sql) => saveChunks(sql, row, rows.slice(at, at + CHUNKS_PER_COMMIT)))
  for (let at = 0; at < postings.length; at += POSTINGS_PER_COMMIT)
    await ctx.sql((sql) => savePostings(sql, row, postings.slice(at, at + POSTINGS_PER_COMMIT)))
  progress.cut(rows.length)
  const tokens = rows.reduce((sum, chunk) => sum + chunk.tokens, 0)
  await ctx.sql(async (sql) => {
    await closeSegment(sql, row, { chunks: rows.length, length, tokens, languages: languagesOf(chunks) })
    if (row.liveVersion === null) await switchVersion(sql, document, version, ctx.now())
  })
  return rows.length
}

/** The index of one version: its chunks as rows, and for each term the chunks that hold it. */
export function segmentOf(
  chunks: readonly Chunk[],
  title: string,
): { readonly rows: ChunkRow[]; readonly postings: Posting[]; readonly length: number } {
  const terms = new Map<string, { ordinals: number[]; tfs: number[]; lengths: number[] }>()
  let total = 0
  const rows = chunks.map((chunk): ChunkRow => {
    const { text, headings, header, language, ordinal } = chunk
    const indexed = indexTerms({ text, title, headings, header, language })
    total += indexed.length
    for (const [term, tf] of indexed.terms) {
      const posting = terms.get(term) ?? { ordinals: [], tfs: [], lengths: [] }
      posting.ordinals.push(ordinal)
      posting.tfs.push(tf)
      posting.lengths.push(indexed.length)
      terms.set(term, posting)
    }
    const [firstPage, lastPage] = chunk.pages
    const { kind, start: begins, end: ends, boxes, tokens, parent } = chunk
    return {
      ordinal,
      kind,
      begins,
      ends,
      text,
      headings,
      header,
      firstPage,
      lastPage,
      boxes,
      language,
      tokens,
      length: indexed.length,
      parent,
    }
  })
  return { rows, postings: [...terms].map(([term, posting]) => ({ term, ...posting })), length: total }
}

export function parsedPage({ page: number, width, height, blocks, ocr }: PageRow): ParsedPage {
  return { number, width, height, ocr, blocks: blocks as readonly Block[] }
}

/** The one of most of the text first. */
function languagesOf(chunks: readonly Chunk[]): string[] {
  const tokens = new Map<string, number>()
  for (const chunk of chunks) tokens.set(chunk.language, (tokens.get(chunk.language) ?? 0) + chunk.tokens)
  return [...tokens].toSorted((a, b) => b[1] - a[1]).map(([language]) => language)
}
