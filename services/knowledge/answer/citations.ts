import type { TenantSql } from '#shared/actor/store.ts'
import type { Citation } from '#shared/contracts/event-map.ts'
import type { QuotedSpan } from '#shared/contracts/knowledge.ts'
import { pagesAround } from '#shared/db/repositories/knowledge/pages.ts'
import { SEPARATOR } from '../parse/canonical-text.ts'
import { boxesOf } from '../documents/passages.ts'

/** Citations of the spans that stand in the stored text to the letter; one that does not is left out, and its mark says nothing. */
export async function citationsOf(sql: TenantSql, quotes: readonly QuotedSpan[]): Promise<Citation[]> {
  const citations: Citation[] = []
  for (const { mark, documentId, version, title, headings, quote, start, end } of quotes) {
    const pages = await pagesAround(sql, documentId, version, start, end)
    const first = pages[0]
    if (first === undefined) continue
    const text = pages.map((page) => page.text).join(SEPARATOR)
    if (text.slice(start - first.begins, end - first.begins) !== quote) continue
    const page = pages.findLast(({ begins }) => begins <= start)!
    const paged = page.width > 0 || pages.length > 1 || page.page > 1
    citations.push({
      mark,
      documentId,
      version,
      title,
      headings: [...headings],
      quote,
      start,
      end,
      page: paged ? page.page : 0,
      boxes: boxesOf([page], start, end).map(({ box }) => box),
      link: linkOf(documentId, version, start, end),
    })
  }
  return citations
}

/** The page of the console that shows the passage. */
export function linkOf(documentId: string, version: number, start: number, end: number): string {
  return `/#/documents/${encodeURIComponent(documentId)}/${version}/${start}-${end}`
}
