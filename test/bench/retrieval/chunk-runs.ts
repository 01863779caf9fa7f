import { DEFAULT_STRATEGY } from '#services/knowledge/chunk/chunk.ts'
import { chunkPages } from '#services/knowledge/chunk/chunk-pages.ts'
import { canonicalText } from '#services/knowledge/parse/canonical-text.ts'
import { markdownBlocks } from '#services/knowledge/parse/text/read-markdown.ts'
import { textbookBm25 } from '#shared/ranking/bm25.ts'
import { embedHashed, hashedQueryEmbedder } from '#shared/ranking/hashed-embedder.ts'
import { MemoryIndex } from '#shared/ranking/memory-index.ts'
import { search } from '#shared/ranking/search.ts'

import { recursiveSplit } from './chunking.ts'
import type { ChunkingData, Span, SpanQuestion } from './chunking.ts'

/** Characters of the recursive splitter's chunks: what 400 tokens are in these texts. */
const SPLITTER_CHARS = 1_680
/** How far white space that reading a document drops may move a span. */
const MOVED_CHARS = 400

/** Finds the best chunks for a question: spans of a text, and whose it is. */
export type FindChunks = (question: string, depth: number) => Promise<readonly (Span & { readonly corpus: string })[]>

export interface ChunkRun {
  readonly chunks: number
  readonly find: FindChunks
  /** With their gold spans in the text that `find` gives spans of. */
  readonly questions: readonly SpanQuestion[]
}

/** The product: documents read as Markdown, cut as collections are by default, found by the whole of retrieval. */
export function productRun({ corpora, questions }: ChunkingData): ChunkRun {
  const index = new MemoryIndex()
  const canonical = new Map<string, string>()
  for (const [corpus, text] of corpora) {
    const page = { number: 1, width: 0, height: 0, blocks: markdownBlocks(text), ocr: false }
    canonical.set(corpus, canonicalText([page]))
    for (const { ordinal, headings, header, text: own, start, pages } of chunkPages([page], DEFAULT_STRATEGY)) {
      const about = { id: `${corpus}.${ordinal}`, documentId: corpus, version: 1, ordinal, title: '', headings, header }
      index.add({ ...about, text: own, start, pages, language: 'en' }, embedHashed({ text: own, headings }))
    }
  }
  return {
    chunks: index.size,
    find: async (question, limit) => {
      const { passages } = await search(index, hashedQueryEmbedder, question, { limit })
      return passages.map(({ documentId, start, text }) => ({ corpus: documentId, start, end: start + text.length }))
    },
    questions: questions.map((one) => ({
      ...one,
      gold: one.gold.map((span) => moved(span, corpora.get(one.corpus) ?? '', canonical.get(one.corpus) ?? '')),
    })),
  }
}

/** Where the same words stand in the canonical text. A span that is not there would count as never found. */
function moved({ start, end }: Span, text: string, canonical: string): Span {
  const at = canonical.indexOf(text.slice(start, end), Math.max(0, start - MOVED_CHARS))
  return at < 0 ? { start, end } : { start: at, end: at + end - start }
}

/** What everybody ships: chunks of the recursive splitter, found by textbook BM25 or by our own retrieval. */
export function splitterRun({ corpora, questions }: ChunkingData, by: 'textbook' | 'search'): ChunkRun {
  const chunks = [...corpora].flatMap(([corpus, text]) =>
    recursiveSplit(text, SPLITTER_CHARS).map((span, ordinal) => ({
      ...span,
      corpus,
      ordinal,
      id: `${corpus}.${ordinal}`,
      text: text.slice(span.start, span.end),
    })),
  )
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]))
  const spansOf = (found: readonly { readonly id: string }[]): (typeof chunks)[number][] =>
    found.flatMap(({ id }) => byId.get(id) ?? [])
  if (by === 'textbook') {
    const find = textbookBm25(chunks)
    return { chunks: chunks.length, questions, find: (asked, depth) => Promise.resolve(spansOf(find(asked, depth))) }
  }
  const index = new MemoryIndex()
  for (const { id, text, start, corpus, ordinal } of chunks) {
    const about = { id, documentId: corpus, version: 1, ordinal, title: '', headings: [], header: '', text }
    index.add({ ...about, start, pages: [1, 1], language: 'en' }, embedHashed({ text }))
  }
  return {
    chunks: chunks.length,
    questions,
    find: async (asked, limit) => spansOf((await search(index, hashedQueryEmbedder, asked, { limit })).passages),
  }
}
