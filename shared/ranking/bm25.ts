import { stem } from '#shared/text/stem.ts'

/**
 * Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) with the idf that is
 * never negative, ln(1 + (N - df + 0.5) / (df + 0.5)), as Lucene has it.
 */
export interface Bm25Options {
  readonly k1: number
  readonly b: number
}

export const BM25: Bm25Options = { k1: 1.2, b: 0.75 }

export function idfOf(frequency: number, total: number): number {
  return Math.log(1 + (Math.max(0, total - frequency) + 0.5) / (frequency + 0.5))
}

/** One term's share of a passage's score. `average` is the mean length over the index. */
export function bm25(tf: number, length: number, average: number, idf: number, options: Bm25Options = BM25): number {
  const { k1, b } = options
  return (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * length) / Math.max(1, average)))
}

export interface TextbookDocument {
  readonly id: string
  readonly text: string
}

/**
 * Plain BM25 as textbooks have it: lower-cased words, Porter's stems, no fields, no stop words taken out, each question
 * word counted once. The baseline that figures are compared with, sharing no code with the index but the formula.
 */
export function textbookBm25(
  documents: readonly TextbookDocument[],
  options: Bm25Options = BM25,
): (question: string, limit: number) => { readonly id: string; readonly score: number }[] {
  const postings = new Map<string, Map<number, number>>()
  const lengths = documents.map(({ text }, at) => {
    const words = plainStems(text)
    for (const word of words) {
      const list = postings.get(word) ?? new Map<number, number>()
      list.set(at, (list.get(at) ?? 0) + 1)
      postings.set(word, list)
    }
    return words.length
  })
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length)
  return (question, limit) => {
    const scores = new Map<number, number>()
    for (const word of new Set(plainStems(question))) {
      const list = postings.get(word)
      if (list === undefined) continue
      const idf = idfOf(list.size, documents.length)
      for (const [at, tf] of list)
        scores.set(at, (scores.get(at) ?? 0) + bm25(tf, lengths[at] ?? 0, average, idf, options))
    }
    return [...scores]
      .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, limit)
      .map(([at, score]) => ({ id: documents[at]?.id ?? '', score }))
  }
}

function plainStems(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stem)
}
