/**
 * Retrieval and quoting over an index in memory, tuned rows (even) and others (odd) side by side:
 *   node test/bench/retrieval/main.ts FOLDER   where FOLDER holds xquad.en.json and chunking/
 */
import { join } from 'node:path'

import { textbookBm25 } from '#shared/ranking/bm25.ts'
import { embedHashed, hashedQueryEmbedder } from '#shared/ranking/hashed-embedder.ts'
import { MemoryIndex } from '#shared/ranking/memory-index.ts'
import { search } from '#shared/ranking/search.ts'

import { evaluateChunks, readChunkingData, recursiveSplit } from './chunking.ts'
import { evaluateAnswers, evaluateHalf, isIngested } from './evaluate.ts'
import { memoryAnswerer } from './memory-answerer.ts'
import { halves, readXquad } from './xquad.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('Name the folder of the data.')
const { paragraphs, questions } = readXquad(join(folder, 'xquad.en.json'))
const rows = { all: questions, ...halves(questions) }

const textbook = textbookBm25(paragraphs.map(({ id, title, text }) => ({ id, text: `${title}\n${text}` })))
const whole = memoryAnswerer(paragraphs)
const half = memoryAnswerer(paragraphs.filter(({ article }) => isIngested(article)))
for (const [name, asked] of Object.entries(rows)) {
  const plain = asked.filter(({ text, paragraph }) => textbook(text, 1)[0]?.id === paragraph.id).length / asked.length
  const figures = await evaluateAnswers(whole, asked)
  const { refused, answered } = await evaluateHalf(half, asked)
  const shown = { ...figures, textbook: plain, 'half refused': refused, 'half answered': answered }
  const line = Object.entries(shown).map(([key, value]) => `${key} ${value > 1 ? value : value.toFixed(4)}`)
  process.stdout.write(`xquad ${name.padEnd(5)} ${line.join('  ')}\n`)
}

// The recursive splitter's chunks, ranked by the same search and by the textbook: what chunking must not fall under.
const { corpora, questions: asked } = readChunkingData(join(folder, 'chunking'))
const CHUNK_CHARS = 1_680
const chunks = [...corpora].flatMap(([corpus, text]) =>
  recursiveSplit(text, CHUNK_CHARS).map((span) => ({
    ...span,
    corpus,
    id: `${corpus}.${span.start}`,
    text: text.slice(span.start, span.end),
  })),
)
const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]))
const index = new MemoryIndex()
for (const { id, text, start, corpus } of chunks) {
  const passage = { id, documentId: corpus, version: 1, ordinal: start, title: '', headings: [], header: '', text }
  index.add({ ...passage, start, pages: [1, 1], language: 'en' }, embedHashed({ text }))
}
const plainly = textbookBm25(chunks)
const spansOf = (ids: readonly { readonly id: string }[]): (typeof chunks)[number][] =>
  ids.flatMap(({ id }) => byId.get(id) ?? [])
for (const [name, some] of Object.entries({ all: asked, ...halves(asked) })) {
  const ours = await evaluateChunks(
    async (text, limit) => spansOf((await search(index, hashedQueryEmbedder, text, { limit })).passages),
    some,
  )
  const plain = await evaluateChunks((text, limit) => Promise.resolve(spansOf(plainly(text, limit))), some)
  process.stdout.write(
    `chunks ${name.padEnd(5)} recall@5 ${ours.toFixed(4)}  textbook ${plain.toFixed(4)}  of ${chunks.length}\n`,
  )
}
