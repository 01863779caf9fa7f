/** The wires that are spoken. Each follows its provider's published reference, named beside it. */
import { countOf, fieldsOf, inOrder, listOf, malformed } from '../embedders/embedder-wire.ts'
import { bearer } from '../provider/provider-call.ts'

/** How one provider is asked for scores. */
export interface RerankerWire {
  readonly baseUrl: string
  /** Texts in one request. */
  readonly maxBatch: number
  /** Whether each text is scored by itself, so that scores of two requests can be compared. */
  readonly pointwise: boolean
  keyHeaders(key: string): Readonly<Record<string, string>>
  request(asked: { readonly model: string; readonly query: string; readonly texts: readonly string[] }): {
    readonly path: string
    readonly body: unknown
  }
  /** One score for each text, in order. Throws MODEL_MALFORMED. */
  read(json: unknown, texts: number): { readonly scores: readonly number[]; readonly inputTokens: number | null }
}

/** `POST /v2/rerank` (docs.cohere.com). It bills searches, not tokens. */
const cohere: RerankerWire = {
  baseUrl: 'https://api.cohere.com',
  maxBatch: 1_000,
  pointwise: false,
  keyHeaders: bearer,
  request: ({ model, query, texts }) => ({
    path: '/v2/rerank',
    body: { model, query, documents: texts, top_n: texts.length },
  }),
  read: (json, texts) => ({ scores: scoresIn(fieldsOf(json)['results'], texts, 'relevance_score'), inputTokens: null }),
}

/** `POST /v1/rerank` (api.jina.ai), also of vLLM, LiteLLM and Xinference. */
const jina: RerankerWire = {
  baseUrl: 'https://api.jina.ai/v1',
  maxBatch: 1_000,
  pointwise: false,
  keyHeaders: bearer,
  request: ({ model, query, texts }) => ({
    path: '/rerank',
    body: { model, query, documents: texts, top_n: texts.length, return_documents: false },
  }),
  read(json, texts) {
    const { results, usage } = fieldsOf(json)
    return {
      scores: scoresIn(results, texts, 'relevance_score'),
      inputTokens: countOf(fieldsOf(usage)['total_tokens']),
    }
  },
}

/** `POST /rerank` (Hugging Face's text-embeddings-inference): the model is the server's, the answer a bare list. */
const tei: RerankerWire = {
  baseUrl: 'http://127.0.0.1:8080',
  // Its server takes 32 unless it is told otherwise.
  maxBatch: 32,
  pointwise: true,
  keyHeaders: bearer,
  request: ({ query, texts }) => ({
    path: '/rerank',
    body: { query, texts, raw_scores: false, return_text: false, truncate: true },
  }),
  read: (json, texts) => ({ scores: scoresIn(json, texts, 'score'), inputTokens: null }),
}

export const RERANKER_WIRES = { cohere, jina, tei } as const

function scoresIn(results: unknown, texts: number, field: string): number[] {
  return inOrder(listOf(results, texts), (fields) => {
    const score = fields[field]
    if (typeof score !== 'number' || !Number.isFinite(score)) throw malformed('A score is no number.')
    return score
  })
}
