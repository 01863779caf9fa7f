/**
 * What turns texts into vectors. What an adapter must supply:
 *
 * - One vector of exactly `dimensions` numbers for each text, in the order of the texts. A provider that answers with
 *   fewer, more or others is MODEL_MALFORMED, and nothing of that answer is used.
 * - Any number of texts in one call: it makes batches of `maxBatch` itself.
 * - Every failure is a WaggleError: MODEL_AUTH, MODEL_BUSY (details.retryAfterMs), MODEL_DOWN, MODEL_MALFORMED,
 *   MODEL_REFUSED, CANCELLED. What may pass by itself was tried again before.
 * - `signal` ends the call and frees what it holds.
 */
export interface Embedder {
  /** `provider/model`: vectors of another id are not comparable, so it names the generation of an index. */
  readonly id: string
  readonly dimensions: number
  readonly maxBatch: number
  embedDocuments(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>
  /** Some models embed questions otherwise than documents. */
  embedQuery(text: string, context: QueryContext, signal: AbortSignal): Promise<Float32Array>
}

/** What the store knows of the collection that is searched. Hosted models need none of it. */
export interface QueryContext {
  /** How many chunks hold a feature; asked at query time, so that no stored vector grows old. */
  readonly frequencies?: ReadonlyMap<string, number>
  /** Chunks in all. */
  readonly total?: number
}
