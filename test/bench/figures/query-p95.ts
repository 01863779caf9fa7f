import { MadeProse } from '../documents/made-prose.ts'
import { quantile } from '../interleave.ts'
import { giveAll, knowledgeBench } from '../knowledge-bench.ts'
import { searchTimed, sqlTimed } from '../retrieval/ask-timed.ts'
import type { Figure, Row } from '../row.ts'

const CHUNKS = 20_000
const CHUNKS_OF_DOCUMENT = 100
const QUESTIONS = 200
const WARM_UP = 20
const TENANT = 'acme'
const MOST_MS = 100
const MOST = 2

/**
 * A search of 20,000 chunks of one tenant, asked over the broker, one at a time: both legs, fusion, reranking. Beside it
 * its statements alone, asked from here, question by question in turns.
 */
export const figure: Figure = {
  name: 'query-p95',
  async run({ quick, say }) {
    const bench = await knowledgeBench([TENANT], say)
    if ('problem' in bench)
      return [
        {
          ...row('p95'),
          value: null,
          baseline: null,
          ratio: null,
          bar: `<= ${MOST_MS} ms`,
          ok: null,
          note: bench.problem,
        },
      ]
    try {
      const client = await bench.client(TENANT)
      await client.collection('main')
      const prose = new MadeProse(7)
      const count = quick ? 2 : CHUNKS / CHUNKS_OF_DOCUMENT
      const documents = Array.from({ length: count }, (_, at) => ({
        name: `${at}.md`,
        title: prose.word(),
        text: prose.document(CHUNKS_OF_DOCUMENT),
      }))
      await giveAll(client, 'main', documents, say)
      await bench.analyze()
      const { chunks } = await client.call<{ chunks: number }>('GET', 'stats')
      const ours: number[] = []
      const raw: number[] = []
      let expanded = 0
      const reach = bench.reach(TENANT)
      const questions = Array.from({ length: quick ? 5 : QUESTIONS + WARM_UP }, () => prose.question())
      for (const [at, question] of questions.entries()) {
        const timed = [await searchTimed(reach, question), await sqlTimed(bench.database, TENANT, question)] as const
        if (at < WARM_UP && !quick) continue
        ours.push(timed[0].ms)
        if (timed[0].expanded) expanded += 1
        raw.push(timed[1])
      }
      return (['p50', 'p95'] as const).map((part): Row => {
        const share = part === 'p50' ? 0.5 : 0.95
        const [value, baseline] = [quantile(ours, share), quantile(raw, share)]
        const ok = value <= MOST * baseline && (part === 'p50' || value <= MOST_MS)
        const bar = part === 'p50' ? `<= ${MOST}x` : `<= ${MOST}x and <= ${MOST_MS} ms`
        return {
          ...row(part),
          value,
          baseline,
          ratio: value / baseline,
          bar,
          ok,
          note: `${chunks} chunks, ${ours.length} questions, ${expanded} of them searched twice`,
        }
      })
    } finally {
      await bench.stop()
    }
  },
}

function row(part: string): { readonly name: string; readonly unit: string } {
  return { name: `query-p95/${part}`, unit: 'ms' }
}
