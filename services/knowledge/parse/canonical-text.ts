import type { ParsedPage } from './parsed-page.ts'

/** Stands between two blocks and between two pages. */
export const SEPARATOR = '\n\n'

/**
 * The one text of a document version that citations point into: blocks joined into pages, pages joined into the text, both
 * by SEPARATOR, an empty page as an empty text. Offsets are UTF-16 code units into it.
 */
export function canonicalText(pages: Iterable<ParsedPage>): string {
  return Array.from(pages, pageText).join(SEPARATOR)
}

export function pageText(page: ParsedPage): string {
  return page.blocks.map(({ text }) => text).join(SEPARATOR)
}
