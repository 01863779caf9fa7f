import { WaggleError } from '#shared/errors/waggle-error.ts'
import { countTokens } from '#shared/text/tokens.ts'

import type { ProviderCalls } from '../provider/provider-call.ts'
import type { Reranker } from '../reranker.ts'
import type { RerankerWire } from './wires.ts'

/** A model behind HTTP that reads a question and a text together. */
export class HostedReranker implements Reranker {
  readonly id: string
  readonly maxTexts: number
  readonly #model: string
  readonly #wire: RerankerWire
  readonly #calls: ProviderCalls

  constructor(id: { readonly provider: string; readonly model: string }, wire: RerankerWire, calls: ProviderCalls) {
    this.id = `${id.provider}/${id.model}`
    this.maxTexts = wire.maxTexts
    this.#model = id.model
    this.#wire = wire
    this.#calls = calls
  }

  async rerank(query: string, texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    if (texts.length === 0) return []
    if (texts.length > this.maxTexts)
      throw new WaggleError('BAD_INPUT', { fields: [`texts: at most ${this.maxTexts}`] })
    return this.#calls.ask(
      {
        ...this.#wire.request({ model: this.#model, query, texts }),
        read: (json) => {
          const { scores, inputTokens } = this.#wire.read(json, texts.length)
          return { answer: [...scores], inputTokens }
        },
        // The question is read with each text.
        estimate: () => texts.reduce((sum, text) => sum + countTokens(text), countTokens(query) * texts.length),
      },
      signal,
    )
  }
}
