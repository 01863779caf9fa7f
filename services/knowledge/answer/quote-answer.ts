import type { QuotedSpan } from '#shared/contracts/knowledge.ts'
import { quoteFrom } from '#shared/ranking/quote.ts'
import type { Finding } from '../search/find.ts'

export interface QuotedAnswer {
  /** The answer's text as it is said, piece after piece. */
  readonly pieces: readonly string[]
  readonly quotes: readonly QuotedSpan[]
}

const MAX_QUOTES = 4

/** One to four sentences, each a span of a passage with its mark. Null when none of them says enough of what was asked. */
export function quoteAnswer(found: Finding): QuotedAnswer | null {
  const { quotes, covered } = quoteFrom(found.question, found.passages, { most: MAX_QUOTES, minCoverage: 0 })
  if (!covered) return null
  const spans = quotes.map(({ passage, start, end, text: quote }, at): QuotedSpan => {
    const { documentId, version, title, headings } = passage
    return { mark: at + 1, documentId, version, title, headings: [...headings], quote, start, end }
  })
  return { pieces: spans.map(({ mark, quote }) => `${mark === 1 ? '' : ' '}“${quote}” [${mark}]`), quotes: spans }
}
