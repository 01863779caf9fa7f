import type { Question } from './xquad.ts'

/** Something that answers questions: the index in memory here, the API in the figures. */
export interface Answered {
  /** Ids of the passages found, best first. */
  readonly ranked: readonly string[]
  /** What was quoted, best first; none when the documents are said not to hold the answer. */
  readonly quotes: readonly string[]
}

export type Answerer = (question: string) => Promise<Answered>

export interface AnswerFigures {
  /** Share of questions whose paragraph comes first. */
  readonly rank1: number
  /** Share of questions with an answer among the first two quotes, word for word. */
  readonly quote2: number
  /** Mean reciprocal rank of the paragraph. */
  readonly mrr: number
  /** Share of questions that were answered at all. */
  readonly answered: number
  readonly questions: number
}

export async function evaluateAnswers(answer: Answerer, questions: readonly Question[]): Promise<AnswerFigures> {
  let rank1 = 0
  let quote2 = 0
  let reciprocal = 0
  let answered = 0
  for (const question of questions) {
    const { ranked, quotes } = await answer(question.text)
    const at = ranked.indexOf(question.paragraph.id)
    if (at === 0) rank1 += 1
    if (at >= 0) reciprocal += 1 / (at + 1)
    if (quotes.length > 0) answered += 1
    if (quotes.slice(0, 2).some((quote) => question.answers.some((gold) => quote.includes(gold.text)))) quote2 += 1
  }
  const share = (count: number): number => count / Math.max(1, questions.length)
  return {
    rank1: share(rank1),
    quote2: share(quote2),
    mrr: share(reciprocal),
    answered: share(answered),
    questions: questions.length,
  }
}

export interface HalfFigures {
  /** Share of the questions about what is not there that were refused. */
  readonly refused: number
  /** Share of the questions about what is there that were answered. */
  readonly answered: number
}

/** Which articles are ingested for `not in your documents`: those of even number. */
export const isIngested = (article: number): boolean => article % 2 === 0

/** `answer` must know the ingested half alone. */
export async function evaluateHalf(answer: Answerer, questions: readonly Question[]): Promise<HalfFigures> {
  const inside = questions.filter((question) => isIngested(question.paragraph.article))
  const outside = questions.filter((question) => !isIngested(question.paragraph.article))
  const [known, unknown] = [await evaluateAnswers(answer, inside), await evaluateAnswers(answer, outside)]
  return { refused: 1 - unknown.answered, answered: known.answered }
}
