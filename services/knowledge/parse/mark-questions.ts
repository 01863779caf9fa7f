import type { Block, PlacedLine } from './parsed-page.ts'

const QUESTION = /^(?:Q|Question|Frage)\s*\d{0,3}\s*[:.)]\s*\S/i
const ANSWER = /^(?:A|Answer|Antwort)\s*\d{0,3}\s*[:.)]\s*\S/i
const ANSWER_LINE = /\n(?=(?:A|Answer|Antwort)\s*\d{0,3}\s*[:.)]\s*\S)/i
const QUESTION_LINE = /\n(?=(?:Q|Question|Frage)\s*\d{0,3}\s*[:.)]\s*\S)/i

/** Fewer pairs are a transcript that happens to quote one. */
const LEAST_PAIRS = 2

/**
 * Paragraphs written as "Q: …", "A: …" become questions and answers, where a page has at least two pairs. Texts stay as
 * they are; a paragraph that holds both is divided at the line that begins the answer.
 */
export function markQuestions(blocks: readonly Block[]): Block[] {
  const divided = blocks.flatMap((one) => (one.kind === 'paragraph' || one.kind === 'list' ? divide(one) : [one]))
  const pairs = divided.filter((one, at) => isQuestion(one) && isAnswer(divided[at + 1])).length
  if (pairs < LEAST_PAIRS) return [...blocks]
  const marked: Block[] = []
  let answering = false
  for (const [at, one] of divided.entries()) {
    if (isQuestion(one) && isAnswer(divided[at + 1])) {
      marked.push({ ...one, kind: 'question' })
      answering = false
    } else if (isAnswer(one) && marked.at(-1)?.kind === 'question') {
      marked.push({ ...one, kind: 'answer' })
      answering = true
    } else {
      if (one.kind === 'heading') answering = false
      // An answer may take several paragraphs.
      marked.push(answering && (one.kind === 'paragraph' || one.kind === 'list') ? { ...one, kind: 'answer' } : one)
    }
  }
  return marked
}

function isQuestion(one: Block | undefined): boolean {
  return one !== undefined && (one.kind === 'paragraph' || one.kind === 'list') && QUESTION.test(one.text)
}

function isAnswer(one: Block | undefined): boolean {
  return one !== undefined && (one.kind === 'paragraph' || one.kind === 'list') && ANSWER.test(one.text)
}

function divide(one: Block): Block[] {
  if (!QUESTION.test(one.text)) return [one]
  const cuts: number[] = []
  for (const pattern of [ANSWER_LINE, QUESTION_LINE]) {
    for (const found of one.text.matchAll(new RegExp(pattern, 'gi'))) cuts.push(found.index)
  }
  if (cuts.length === 0) return [one]
  const ends = [...cuts.toSorted((a, b) => a - b), one.text.length]
  let from = 0
  return ends.map((to) => {
    const start = from === 0 ? 0 : from + 1
    from = to
    return { ...one, kind: 'paragraph', text: one.text.slice(start, to), lines: within(one.lines, start, to) }
  })
}

function within(lines: readonly PlacedLine[], start: number, end: number): PlacedLine[] {
  return lines
    .filter((line) => line.start < end && line.end > start)
    .map((line) => ({ ...line, start: Math.max(0, line.start - start), end: Math.min(end, line.end) - start }))
}
