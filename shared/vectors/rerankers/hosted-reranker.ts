import { WaggleError } from '#shared/errors/waggle-error.ts'
import { countTokens } from '#shared/text/tokens.ts'

import type { ProviderCalls } from '../provider/provider-call.ts'
import type { Reranker } from '../reranker.ts'
import { batchesOf } from '../store-query.ts'
import type { RerankerWire } from './wires.ts'

/** Of a call, however many requests it takes. */
const MAX_TEXTS = 1_000

export interface RerankingModel {
  readonly provider: string
  readonly model: string
  readonly maxBatch: number
}

/** A model behind HTTP that reads a question and a text together. */
export class HostedReranker implements Reranker {
  readonly id: string
  readonly maxTexts: number
  readonly #maxBatch: number
  readonly #model: string
  readonly #wire: RerankerWire
  readonly #calls: ProviderCalls

  constructor(model: RerankingModel, wire: RerankerWire, calls: ProviderCalls) {
    this.id = `${model.provider}/${model.model}`
    this.maxTexts = wire.pointwise ? MAX_TEXTS : model.maxBatch
    this.#maxBatch = model.maxBatch
    this.#model = model.model
    this.#wire = wire
    this.#calls = calls
  }

  async rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    if (texts.length === 0) return []
    if (texts.length > this.maxTexts)
      throw new WaggleError('BAD_INPUT', { fields: [`texts: at most ${this.maxTexts}`] })
    const scores: number[] = []
    for (const batch of batchesOf(texts, this.#maxBatch)) scores.push(...(await this.#ask(query, batch, signal)))
    return scores
  }

  #ask(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    return this.#calls.ask(
      {
        ...this.#wire.request({ model: this.#model, query, texts }),
        read: (json) => {
          const { scores, inputTokens } = this.#wire.read(json, texts.length)
          return { answer: scores, inputTokens }
        },
        // The question is read with each text.
        estimate: () => texts.reduce((sum, text) => sum + countTokens(text), countTokens(query) * texts.length),
      },
      signal,
    )
  }
}
