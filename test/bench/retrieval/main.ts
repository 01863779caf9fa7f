/**
 * Retrieval and quoting over an index in memory, tuned rows (even) and others (odd) side by side:
 *   node test/bench/retrieval/main.ts FOLDER   where FOLDER holds xquad.en.json and chunking/
 */
import { join } from 'node:path'

import { textbookBm25 } from '#shared/ranking/bm25.ts'

import { productRun, splitterRun } from './chunk-runs.ts'
import { chunkRecall, readChunkingData } from './chunking.ts'
import { evaluateAnswers, evaluateHalf, isIngested } from './evaluate.ts'
import { memoryAnswerer } from './memory-answerer.ts'
import { mean } from '#shared/ranking/metrics.ts'
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

const data = readChunkingData(join(folder, 'chunking'))
const runs = {
  ours: productRun(data),
  textbook: splitterRun(data, 'textbook'),
  'splitter, our search': splitterRun(data, 'search'),
}
for (const [name, { chunks, find, questions: asked }] of Object.entries(runs)) {
  const recall = await chunkRecall(find, asked)
  const shown = Object.entries({ all: recall, ...halves(recall) }).map(
    ([part, some]) => `${part} ${mean(some).toFixed(4)}`,
  )
  process.stdout.write(`recall@5 ${name.padEnd(20)} ${shown.join('  ')}  of ${chunks} chunks\n`)
}
