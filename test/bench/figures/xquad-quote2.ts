import { evaluateAnswers } from '../retrieval/evaluate.ts'
import { xquadFigure } from '../retrieval/xquad-figure.ts'

const LEAST = 0.88
const head = { unit: 'share of questions', bar: `>= ${LEAST}` }

/** Whether the gold answer stands in one of the first two sentences that are quoted. */
export const figure = xquadFigure('xquad-quote2', head, async ({ answer }, questions) => {
  const { quote2: value, answered } = await evaluateAnswers(answer, questions)
  const note = `answered at all ${answered.toFixed(4)}, ${questions.length} questions`
  return [{ name: 'xquad-quote2', ...head, value, baseline: null, ratio: null, ok: value >= LEAST, note }]
})
