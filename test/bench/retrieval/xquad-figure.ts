import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure, FigureOptions, Row } from '../row.ts'
import { paragraphsOverApi } from './over-api.ts'
import type { OverApi } from './over-api.ts'
import { readXquad } from './xquad.ts'
import type { Paragraph, Question, Xquad } from './xquad.ts'

/** Every so many questions, to see that it runs. */
const QUICK_EVERY = 60

/** A figure over XQuAD-en and the API; says so where the data or PostgreSQL is not there. */
export function xquadFigure(
  name: string,
  head: Pick<Row, 'unit' | 'bar'>,
  measure: (over: OverApi, questions: readonly Question[], data: Xquad, options: FigureOptions) => Promise<Row[]>,
  ingested: (paragraph: Paragraph) => boolean = () => true,
): Figure {
  const missing = (note: string): Row[] => [{ name, value: null, baseline: null, ratio: null, ok: null, note, ...head }]
  return {
    name,
    async run(options) {
      const path = join(options.dataDir, 'retrieval/xquad.en.json')
      if (!existsSync(path)) return missing(`no ${path}`)
      const data = readXquad(path)
      const questions = options.quick ? data.questions.filter((_, at) => at % QUICK_EVERY === 0) : data.questions
      const over = await paragraphsOverApi(data.paragraphs.filter(ingested), options.say)
      if ('problem' in over) return missing(over.problem)
      try {
        return await measure(over, questions, data, options)
      } finally {
        await over.bench.stop()
      }
    },
  }
}
