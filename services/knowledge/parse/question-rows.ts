import { block } from './block.ts'
import type { Block } from './parsed-page.ts'

const QUESTION = /^(?:q|question|questions|frage|prompt|faq)$/i
const ANSWER = /^(?:a|answer|answers|antwort|response|reply)$/i

/** A table whose columns are called question and answer, as pairs; other columns go with the answer. Null for any other. */
export function questionRows(rows: readonly (readonly string[])[]): Block[] | null {
  const [header = [], ...rest] = rows
  const question = header.findIndex((name) => QUESTION.test(name.trim()))
  const answer = header.findIndex((name) => ANSWER.test(name.trim()))
  if (question < 0 || answer < 0 || rest.length === 0) return null
  return rest.flatMap((row) => {
    const others = header.flatMap((name, at) => {
      const value = row[at]?.trim() ?? ''
      return at === question || at === answer || value === '' ? [] : [`${name}: ${value}`]
    })
    return questionPair(row[question] ?? '', [row[answer] ?? '', ...others].join('\n'))
  })
}

export function questionPair(question: string, answer: string): Block[] {
  return [block('question', question), block('answer', answer)].filter((one) => one !== null)
}
