import { evaluateHalf, isIngested } from '../retrieval/evaluate.ts'
import { xquadFigure } from '../retrieval/xquad-figure.ts'

const REFUSED = 0.8
const ANSWERED = 0.9
const head = { unit: 'share of questions', bar: `>= ${REFUSED} and >= ${ANSWERED}` }

/** Half of the articles are there: what is asked about the others is said not to be, and the rest is still answered. */
export const figure = xquadFigure(
  'not-in-docs',
  head,
  async ({ answer }, questions) => {
    const { refused, answered } = await evaluateHalf(answer, questions)
    const row = { unit: head.unit, baseline: null, ratio: null }
    return [
      { name: 'not-in-docs/refused', ...row, bar: `>= ${REFUSED}`, value: refused, ok: refused >= REFUSED },
      { name: 'not-in-docs/answered', ...row, bar: `>= ${ANSWERED}`, value: answered, ok: answered >= ANSWERED },
    ]
  },
  ({ article }) => isIngested(article),
)
