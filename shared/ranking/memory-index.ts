import { BM25, bm25, idfOf } from './bm25.ts'
import type { Bm25Options } from './bm25.ts'
import type { Hit, KeywordHits, QueryTerm, SearchIndex, StoredPassage, TermFrequencies } from './search-index.ts'
import { indexTerms } from './terms.ts'

/** The reference of a search index: everything in maps. For tests, for evaluation, for a few thousand passages. */
export class MemoryIndex implements SearchIndex {
  readonly #passages: StoredPassage[] = []
  readonly #byId = new Map<string, StoredPassage>()
  readonly #lengths: number[] = []
  readonly #vectors: (Float32Array | null)[] = []
  readonly #postings = new Map<string, { readonly at: number[]; readonly tf: number[] }>()
  readonly #options: Bm25Options
  #summedLength = 0

  constructor(options: Bm25Options = BM25) {
    this.#options = options
  }

  get size(): number {
    return this.#passages.length
  }

  add(passage: StoredPassage, vector: Float32Array | null = null): void {
    const at = this.#passages.length
    const { terms, length } = indexTerms(passage)
    for (const [term, tf] of terms) {
      const posting = this.#postings.get(term)
      if (posting === undefined) this.#postings.set(term, { at: [at], tf: [tf] })
      else {
        posting.at.push(at)
        posting.tf.push(tf)
      }
    }
    this.#passages.push(passage)
    this.#byId.set(passage.id, passage)
    this.#lengths.push(length)
    this.#vectors.push(vector)
    this.#summedLength += length
  }

  keyword(terms: readonly QueryTerm[], limit: number): Promise<KeywordHits> {
    const total = this.#passages.length
    const average = this.#summedLength / Math.max(1, total)
    const scores = new Map<number, number>()
    const frequencies = new Map<string, number>()
    for (const { term, weight } of terms) {
      const posting = this.#postings.get(term)
      frequencies.set(term, posting?.at.length ?? 0)
      if (posting === undefined) continue
      const idf = idfOf(posting.at.length, total) * weight
      for (const [i, at] of posting.at.entries()) {
        const share = bm25(posting.tf[i] ?? 0, this.#lengths[at] ?? 0, average, idf, this.#options)
        scores.set(at, (scores.get(at) ?? 0) + share)
      }
    }
    return Promise.resolve({ hits: this.#best(scores, limit), frequencies, total })
  }

  frequencies(terms: readonly string[]): Promise<TermFrequencies> {
    const frequencies = new Map(terms.map((term) => [term, this.#postings.get(term)?.at.length ?? 0]))
    return Promise.resolve({ frequencies, total: this.#passages.length })
  }

  nearest(vector: Float32Array, limit: number): Promise<readonly Hit[]> {
    const scores = new Map<number, number>()
    for (const [at, own] of this.#vectors.entries()) if (own !== null) scores.set(at, cosine(vector, own))
    return Promise.resolve(this.#best(scores, limit))
  }

  load(ids: readonly string[]): Promise<readonly StoredPassage[]> {
    return Promise.resolve(ids.flatMap((id) => this.#byId.get(id) ?? []))
  }

  #best(scores: ReadonlyMap<number, number>, limit: number): Hit[] {
    return [...scores]
      .filter(([, score]) => score > 0)
      .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, limit)
      .map(([at, score]) => ({ id: this.#passages[at]?.id ?? '', score }))
  }
}

export function cosine(one: Float32Array, other: Float32Array): number {
  let dot = 0
  let first = 0
  let second = 0
  for (let i = 0; i < one.length; i += 1) {
    const x = one[i] ?? 0
    const y = other[i] ?? 0
    dot += x * y
    first += x * x
    second += y * y
  }
  return first === 0 || second === 0 ? 0 : dot / Math.sqrt(first * second)
}
