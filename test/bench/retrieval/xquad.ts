import { readFileSync } from 'node:fs'

/** Questions about paragraphs, with the answer's place: 48 articles of 5 paragraphs (google-deepmind/xquad, CC BY-SA 4.0). */
export interface Paragraph {
  /** `<article>.<paragraph>` */
  readonly id: string
  readonly article: number
  readonly title: string
  readonly text: string
}

export interface Question {
  readonly text: string
  /** The paragraph that holds the answer. */
  readonly paragraph: Paragraph
  readonly answers: readonly { readonly text: string; readonly start: number }[]
}

export interface Xquad {
  readonly paragraphs: readonly Paragraph[]
  readonly questions: readonly Question[]
}

interface Raw {
  readonly data: readonly {
    readonly title: string
    readonly paragraphs: readonly {
      readonly context: string
      readonly qas: readonly {
        readonly question: string
        readonly answers: readonly { readonly text: string; readonly answer_start: number }[]
      }[]
    }[]
  }[]
}

export function readXquad(path: string): Xquad {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as Raw
  const paragraphs: Paragraph[] = []
  const questions: Question[] = []
  for (const [article, { title, paragraphs: held }] of raw.data.entries()) {
    for (const [at, { context, qas }] of held.entries()) {
      const paragraph = { id: `${article}.${at}`, article, title: title.replaceAll('_', ' '), text: context }
      paragraphs.push(paragraph)
      for (const { question, answers } of qas)
        questions.push({
          text: question,
          paragraph,
          answers: answers.map((answer) => ({ text: answer.text, start: answer.answer_start })),
        })
    }
  }
  return { paragraphs, questions }
}

/** Rows to tune on, and rows to report beside: by the number of the question. */
export function halves<T>(rows: readonly T[]): { readonly even: readonly T[]; readonly odd: readonly T[] } {
  return { even: rows.filter((_, at) => at % 2 === 0), odd: rows.filter((_, at) => at % 2 === 1) }
}
