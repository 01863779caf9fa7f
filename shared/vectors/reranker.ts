/**
 * What reads a question and a text together and says how well the one answers the other. What an adapter must supply: one
 * finite score for each text, in the order of the texts, higher is better; scores of one call are comparable with each
 * other and with nothing else. Failures, retries and `signal` as with an Embedder.
 */
export interface Reranker {
  /** `provider/model` */
  readonly id: string
  /** More texts in one call are BAD_INPUT: scores of two requests need not be comparable. */
  readonly maxTexts: number
  rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]>
}
