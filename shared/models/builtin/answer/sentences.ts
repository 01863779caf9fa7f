/** Sentences with their places, so that a quote is a span of its source and nothing else. */
export interface Sentence {
  readonly text: string
  readonly start: number
  readonly end: number
}

const MAX_SENTENCES = 2_000
/** After these a dot ends no sentence. */
const ABBREVIATED =
  /(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Inc|Ltd|Co|Corp|vs|etc|e\.g|i\.e|cf|No|Fig|approx|[A-Z])\.$/

export function splitSentences(text: string): Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  const close = (end: number): void => {
    const raw = text.slice(start, end)
    const lead = raw.length - raw.trimStart().length
    const said = raw.trim()
    if (said !== '') sentences.push({ text: said, start: start + lead, end: start + lead + said.length })
    start = end
  }
  for (const match of text.matchAll(/[.!?。！？]+["'”’)\]]*(?=\s|$)|[。！？]|\n+/gu)) {
    if (sentences.length >= MAX_SENTENCES) break
    const end = match.index + match[0].length
    if (match[0].startsWith('.') && ABBREVIATED.test(text.slice(Math.max(0, end - 12), end))) continue
    close(end)
  }
  if (sentences.length < MAX_SENTENCES) close(text.length)
  return sentences
}
