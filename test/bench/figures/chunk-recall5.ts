import { join } from 'node:path'

import { productRun, splitterRun } from '../retrieval/chunk-runs.ts'
import type { ChunkRun } from '../retrieval/chunk-runs.ts'
import { chunkRecall, readChunkingData } from '../retrieval/chunking.ts'
import type { ChunkingData } from '../retrieval/chunking.ts'
import { mean } from '#shared/ranking/metrics.ts'
import { halves } from '../retrieval/xquad.ts'
import type { Figure, Row } from '../row.ts'

/**
 * How much of what answers a question stands in the first five chunks: five long texts, 472 questions with the spans that
 * answer them (brandonstarxel/chunking_evaluation). Ours are chunks of the Markdown reader and the default strategy, found by
 * the whole of retrieval over an index in memory; the baseline is the recursive splitter at the same 400 tokens, found by
 * textbook BM25 (1,680 characters; between 1,600 and 1,900 it has 0.921 to 0.939). A span counts where it was marked, so a copy of it elsewhere does not. Weights were set on questions of even
 * number; the note gives both halves. What is not measured: the database, whose ranking is the same.
 */
export const figure: Figure = {
  name: 'chunk-recall5',
  async run({ dataDir, quick, say }) {
    const folder = join(dataDir, 'retrieval', 'chunking')
    const data = read(folder)
    if (data === null) return [row(null, null, `no q.csv in ${folder}`)]
    const measured = async (run: ChunkRun): Promise<{ recall: number; note: string }> => {
      const shares = await chunkRecall(run.find, quick ? run.questions.slice(0, QUICK_QUESTIONS) : run.questions, DEPTH)
      const { even, odd } = halves(shares)
      return {
        recall: mean(shares),
        note: `even rows ${mean(even).toFixed(3)}, odd ${mean(odd).toFixed(3)}, ${run.chunks} chunks`,
      }
    }
    const baseline = await measured(splitterRun(data, 'textbook'))
    say(`recursive splitter, textbook BM25: ${baseline.recall.toFixed(4)}`)
    const ours = await measured(productRun(data))
    return [row(ours.recall, baseline.recall, `${ours.note}; baseline: ${baseline.note}`)]
  },
}

const DEPTH = 5
const QUICK_QUESTIONS = 20
const LEAST = 0.93

function row(value: number | null, baseline: number | null, note: string): Row {
  return {
    name: 'chunk-recall5',
    value,
    unit: 'share of gold',
    baseline,
    ratio: value === null || baseline === null ? null : value / baseline,
    bar: '>= 0.93 and >= baseline',
    ok: value === null || baseline === null ? null : value >= LEAST && value >= baseline,
    note,
  }
}

function read(folder: string): ChunkingData | null {
  try {
    return readChunkingData(folder)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    throw thrown
  }
}
