/**
 * What turns texts into vectors. What an adapter must supply:
 *
 * - One vector of exactly `dimensions` numbers for each text, in the order of the texts. An answer with fewer, more or
 *   others is MODEL_MALFORMED, and nothing of it is used.
 * - Any number of texts in one call: it makes batches of `maxBatch` itself. A text without a character is a vector of
 *   zeros, which is near to nothing; no provider takes one.
 * - Every failure is a WaggleError: MODEL_AUTH, MODEL_BUSY (details.retryAfterMs), MODEL_DOWN, MODEL_CUT, MODEL_MALFORMED,
 *   MODEL_REFUSED, ADDRESS_REFUSED, CANCELLED. What may pass by itself was tried again before.
 * - `signal` ends the call and frees what it holds.
 */
export interface Embedder {
  /** `provider/model`: vectors of another id are not comparable, so it names the generation of an index. */
  readonly id: string
  readonly dimensions: number
  readonly maxBatch: number
  embedDocuments(documents: readonly EmbeddedText[], signal: AbortSignal): Promise<Float32Array[]>
  /** Some models embed questions otherwise than documents. */
  embedQuery(question: string, context: QueryContext, signal: AbortSignal): Promise<Float32Array>
}

/** A chunk, and what it stands under. */
export interface EmbeddedText {
  readonly text: string
  /** Of its document. */
  readonly title?: string
  /** Path to it, outermost first. */
  readonly headings?: readonly string[]
  /** ISO 639-1, or ''. */
  readonly language?: string
}

/** What the store knows of the collection that is searched. Hosted models need none of it. */
export interface QueryContext {
  /** The weight of a term of shared/ranking's `queryTerms`; asked at query time, so that no stored vector grows old. */
  readonly idf?: (term: string) => number
}
