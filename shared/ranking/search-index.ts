/**
 * What a store must supply so that `search` can rank over it. The product's index is SQL (services/knowledge), the one in
 * memory (memory-index.ts) is its reference. Filters and access lists are the index's: whatever it returns may be shown.
 */
export interface SearchIndex {
  /**
   * The `limit` best passages by BM25 of the weighted terms, best first; scores above zero only. `frequencies` holds the
   * document frequency of every term asked for (0 for one that stands nowhere), `total` the number of passages; both
   * count what this caller may see.
   */
  keyword(terms: readonly QueryTerm[], limit: number): Promise<KeywordHits>
  frequencies(terms: readonly string[]): Promise<TermFrequencies>
  /** The `limit` nearest by cosine, best first. */
  nearest(vector: Float32Array, limit: number): Promise<readonly Hit[]>
  /** In any order; an id that is gone, or that the caller may not see, is left out. */
  load(ids: readonly string[]): Promise<readonly StoredPassage[]>
}

export interface QueryTerm {
  readonly term: string
  /** Multiplies the term's BM25 share. */
  readonly weight: number
}

export interface Hit {
  readonly id: string
  readonly score: number
}

export interface TermFrequencies {
  readonly frequencies: ReadonlyMap<string, number>
  readonly total: number
}

export interface KeywordHits extends TermFrequencies {
  readonly hits: readonly Hit[]
}

/** What answering needs of a passage. */
export interface AnswerPassage {
  readonly title: string
  readonly headings: readonly string[]
  readonly text: string
  /** Where `text` begins in its document's canonical text, in UTF-16 code units. */
  readonly start: number
}

export interface StoredPassage extends AnswerPassage {
  readonly id: string
  readonly documentId: string
  readonly version: number
  readonly ordinal: number
  /** A table's header row, else ''. */
  readonly header: string
  readonly pages: readonly [first: number, last: number]
  readonly language: string
}

/** Makes the vector of a question. */
export interface QueryEmbedder {
  /**
   * `idf` gives the weight of a term of `queryTerms` in this index: a vector of words applies it, a model's vector does
   * not need it.
   */
  embedQuery(question: string, idf: (term: string) => number): Promise<Float32Array>
}
