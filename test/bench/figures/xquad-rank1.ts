import { textbookBm25 } from '#shared/ranking/bm25.ts'
import { evaluateAnswers } from '../retrieval/evaluate.ts'
import { xquadFigure } from '../retrieval/xquad-figure.ts'

const LEAST = 0.96
const head = { unit: 'share of questions', bar: `>= ${LEAST} and >= textbook BM25` }

/** Whether the right one of 240 paragraphs comes first, asked with the question as it is. */
export const figure = xquadFigure('xquad-rank1', head, async ({ answer }, questions, { paragraphs }) => {
  const { rank1: value, mrr } = await evaluateAnswers(answer, questions)
  const textbook = textbookBm25(paragraphs.map(({ id, title, text }) => ({ id, text: `${title}\n${text}` })))
  const right = questions.filter(({ text, paragraph }) => textbook(text, 1)[0]?.id === paragraph.id).length
  const baseline = right / questions.length
  const ok = value >= LEAST && value >= baseline
  return [
    {
      name: 'xquad-rank1',
      ...head,
      value,
      baseline,
      ratio: value / baseline,
      ok,
      note: `MRR ${mrr.toFixed(4)}, ${questions.length} questions`,
    },
  ]
})
