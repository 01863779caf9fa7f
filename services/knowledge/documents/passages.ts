import type { z } from 'zod'
import type { TenantSql } from '#shared/actor/store.ts'
import type { ChunkPreview, ChunkSettings, PassageRequest, PassageView } from '#shared/contracts/knowledge.ts'
import { chunksOfSegment } from '#shared/db/repositories/knowledge/chunks.ts'
import type { ChunkRow } from '#shared/db/repositories/knowledge/chunks.ts'
import { documentSummary, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { Reader } from '#shared/db/repositories/knowledge/documents.ts'
import { pagesAround, pagesOf } from '#shared/db/repositories/knowledge/pages.ts'
import type { PageRow } from '#shared/db/repositories/knowledge/pages.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { languageOf } from '#shared/text/language.ts'
import { chunkPages } from '../chunk/chunk-pages.ts'
import type { Chunk } from '../chunk/chunk.ts'
import { parsedPage } from '../ingest/index-version.ts'
import { SEPARATOR } from '../parse/canonical-text.ts'
import type { Block } from '../parse/parsed-page.ts'

/** Text shown on either side of a passage. */
const AROUND_CHARS = 600
const CHUNKS_SHOWN = 100
/** Characters of a passage that is asked for. */
const MAX_PASSAGE_CHARS = 20_000

/** What a citation points at. An older version's text is kept for the citations that name it. */
export async function passageOf(
  sql: TenantSql,
  reader: Reader,
  { documentId, version, start, end }: z.infer<typeof PassageRequest>,
): Promise<z.infer<typeof PassageView>> {
  if (end <= start || end - start > MAX_PASSAGE_CHARS)
    throw refuse('BAD_INPUT', { fields: [{ path: 'end', problem: `after start, by at most ${MAX_PASSAGE_CHARS}` }] })
  const document = await documentSummary(sql, documentId, reader)
  if (document === null) throw refuse('NOT_FOUND', { document: documentId })
  const pages = await pagesAround(sql, documentId, version, Math.max(0, start - AROUND_CHARS), end + AROUND_CHARS)
  const first = pages[0]
  const text = pages.map((page) => page.text).join(SEPARATOR)
  if (first === undefined || end > first.begins + text.length)
    throw refuse('NOT_FOUND', { document: documentId, version, start, end })
  const at = start - first.begins
  const length = end - start
  const boxes = boxesOf(pages, start, end)
  return {
    documentId,
    version,
    title: document.title,
    page: pages.findLast((page) => page.begins <= start)?.page ?? 0,
    before: text.slice(Math.max(0, at - AROUND_CHARS), at),
    text: text.slice(at, at + length),
    after: text.slice(at + length, at + length + AROUND_CHARS),
    boxes,
    sheets: pages
      .filter(({ page, width }) => width > 0 && boxes.some((box) => box.page === page))
      .map(({ page, width, height }) => ({ page, width, height })),
  }
}

/** A range of a version's canonical text; '' where it is gone. */
export async function canonicalSlice(
  sql: TenantSql,
  { documentId, version }: { readonly documentId: string; readonly version: number },
  start: number,
  end: number,
): Promise<string> {
  const pages = await pagesAround(sql, documentId, version, start, end)
  const from = pages[0]?.begins ?? 0
  return pages
    .map((page) => page.text)
    .join(SEPARATOR)
    .slice(start - from, end - from)
}

/** Where a range of the canonical text stands on its pages, line by line. */
export function boxesOf(
  pages: readonly PageRow[],
  start: number,
  end: number,
): { page: number; box: [number, number, number, number] }[] {
  const boxes: { page: number; box: [number, number, number, number] }[] = []
  for (const { page, begins, blocks } of pages) {
    let at = begins
    for (const { text, lines } of blocks as readonly Block[]) {
      for (const line of lines)
        if (at + line.start < end && at + line.end > start)
          boxes.push({ page, box: [...line.box] as [number, number, number, number] })
      at += text.length + SEPARATOR.length
    }
  }
  return boxes
}

export async function chunksOf(
  sql: TenantSql,
  reader: Reader,
  id: string,
  from: number,
): Promise<{ chunks: z.infer<typeof ChunkPreview>[] }> {
  const document = await documentSummary(sql, id, reader)
  const version = document?.liveVersion ?? null
  if (document === null || version === null) throw refuse('NOT_FOUND', { document: id })
  const { segment } = (await versionOf(sql, id, version))!
  return { chunks: (await chunksOfSegment(sql, segment, from, CHUNKS_SHOWN)).map(previewOfRow) }
}

export async function previewOf(
  sql: TenantSql,
  reader: Reader,
  id: string,
  settings: ChunkSettings,
): Promise<{ chunks: z.infer<typeof ChunkPreview>[]; total: number }> {
  const document = await documentSummary(sql, id, reader)
  if (document === null) throw refuse('NOT_FOUND', { document: id })
  const pages = await pagesOf(sql, id, document.liveVersion ?? document.version)
  const chunks = chunkPages(pages.map(parsedPage), settings, languageOf)
  return { chunks: chunks.slice(0, CHUNKS_SHOWN).map(previewOfChunk), total: chunks.length }
}

function previewOfChunk({
  ordinal,
  kind,
  start,
  end,
  text,
  headings,
  header,
  pages,
  language,
  tokens,
}: Chunk): z.infer<typeof ChunkPreview> {
  return { ordinal, kind, start, end, text, headings: [...headings], header, pages: [...pages], language, tokens }
}

function previewOfRow({
  ordinal,
  kind,
  begins: start,
  ends: end,
  text,
  headings,
  header,
  firstPage,
  lastPage,
  language,
  tokens,
}: ChunkRow): z.infer<typeof ChunkPreview> {
  return {
    ordinal,
    kind,
    start,
    end,
    text,
    headings: [...headings],
    header,
    pages: [firstPage, lastPage],
    language,
    tokens,
  }
}
