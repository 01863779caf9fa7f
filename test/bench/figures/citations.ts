import { xquadFigure } from '../retrieval/xquad-figure.ts'

const ANSWERS = 1_000
const head = { unit: 'share of citations', bar: '1 (all)' }

/** Whether every citation of so many answers is, character by character, what the stored text says at that place. */
export const figure = xquadFigure('citations', head, async ({ ask, client }, questions) => {
  let citations = 0
  let resolved = 0
  let answers = 0
  for (const { text } of questions) {
    if (answers >= ANSWERS) break
    const answer = await ask(text)
    if (!answer.covered) continue
    answers += 1
    const marks = [...answer.answer.matchAll(/\[(\d+)\]/g)].map((mark) => Number(mark[1]))
    for (const mark of marks) {
      citations += 1
      const cited = answer.citations.find((one) => one.mark === mark)
      if (cited === undefined) continue
      const { documentId, version, start, end, quote } = cited
      const passage = await client.call<{ text: string }>(
        'GET',
        `documents/${documentId}/versions/${version}/passage?start=${start}&end=${end}`,
      )
      if (passage.text === quote && answer.answer.includes(quote)) resolved += 1
    }
  }
  const value = resolved / Math.max(1, citations)
  return [
    {
      name: 'citations',
      ...head,
      value,
      baseline: null,
      ratio: null,
      ok: value === 1,
      note: `${citations} citations in ${answers} answers`,
    },
  ]
})
