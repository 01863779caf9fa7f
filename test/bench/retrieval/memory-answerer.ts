import { embedHashed, hashedQueryEmbedder } from '#shared/ranking/hashed-embedder.ts'
import { MemoryIndex } from '#shared/ranking/memory-index.ts'
import { quoteFrom } from '#shared/ranking/quote.ts'
import { search } from '#shared/ranking/search.ts'
import type { SearchOptions } from '#shared/ranking/search.ts'

import type { Answerer } from './evaluate.ts'
import type { Paragraph } from './xquad.ts'

/** The whole pipeline over an index in memory, each paragraph a document of its own titled by its article. */
export function memoryAnswerer(paragraphs: readonly Paragraph[], options: SearchOptions = {}): Answerer {
  const index = new MemoryIndex()
  for (const { id, title, text } of paragraphs) {
    const passage = { id, documentId: id, version: 1, ordinal: 0, title, headings: [], header: '', text }
    index.add({ ...passage, start: 0, pages: [1, 1], language: 'en' }, embedHashed({ text, title }))
  }
  return async (asked) => {
    const { passages, question } = await search(index, hashedQueryEmbedder, asked, options)
    const { quotes } = quoteFrom(question, passages)
    return { ranked: passages.map(({ id }) => id), quotes: quotes.map(({ text }) => text) }
  }
}
