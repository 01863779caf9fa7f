/** The wires that are spoken. Each follows its provider's published reference, named beside it. */
import { bearer } from '../provider/provider-call.ts'
import { countOf, fieldsOf, inOrder, listOf } from './embedder-wire.ts'
import type { EmbedderWire } from './embedder-wire.ts'

/** `POST /v1/embeddings` (platform.openai.com), also of vLLM, TEI, LM Studio, Mistral, Jina and many more. */
const openai: EmbedderWire = {
  baseUrl: 'https://api.openai.com/v1',
  maxBatch: 128,
  keyHeaders: bearer,
  request: ({ model, texts, shortenTo }) => ({
    path: '/embeddings',
    body: { model, input: texts, encoding_format: 'float', ...(shortenTo !== null && { dimensions: shortenTo }) },
  }),
  read(json, texts) {
    const { data, usage } = fieldsOf(json)
    const vectors = inOrder(listOf(data, texts), (fields) => fields['embedding'])
    return { vectors, inputTokens: countOf(fieldsOf(usage)['prompt_tokens']) }
  },
}

/** `POST /api/embed` (Ollama's API reference). What is too long for the model is cut at its end. */
const ollama: EmbedderWire = {
  baseUrl: 'http://127.0.0.1:11434',
  maxBatch: 64,
  keyHeaders: bearer,
  request: ({ model, texts, shortenTo }) => ({
    path: '/api/embed',
    body: { model, input: texts, truncate: true, ...(shortenTo !== null && { dimensions: shortenTo }) },
  }),
  read(json, texts) {
    const { embeddings, prompt_eval_count } = fieldsOf(json)
    return { vectors: listOf(embeddings, texts), inputTokens: countOf(prompt_eval_count) }
  },
}

/** `POST /v1beta/models/{model}:batchEmbedContents` (ai.google.dev). It does not say what it counted. */
const google: EmbedderWire = {
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  maxBatch: 100,
  keyHeaders: (key) => ({ 'x-goog-api-key': key }),
  request: ({ model, texts, kind, shortenTo }) => ({
    path: `/models/${encodeURIComponent(model)}:batchEmbedContents`,
    body: {
      requests: texts.map((text) => ({
        model: `models/${model}`,
        content: { parts: [{ text }] },
        taskType: kind === 'document' ? 'RETRIEVAL_DOCUMENT' : 'RETRIEVAL_QUERY',
        ...(shortenTo !== null && { outputDimensionality: shortenTo }),
      })),
    },
  }),
  read(json, texts) {
    const answers = listOf(fieldsOf(json)['embeddings'], texts)
    return { vectors: answers.map((answer) => fieldsOf(answer)['values']), inputTokens: null }
  },
}

/** `POST /v2/embed` (docs.cohere.com), also of those that speak as Cohere does. */
const cohere: EmbedderWire = {
  baseUrl: 'https://api.cohere.com',
  maxBatch: 96,
  keyHeaders: bearer,
  request: ({ model, texts, kind, shortenTo }) => ({
    path: '/v2/embed',
    body: {
      model,
      texts,
      input_type: kind === 'document' ? 'search_document' : 'search_query',
      embedding_types: ['float'],
      truncate: 'END',
      ...(shortenTo !== null && { output_dimension: shortenTo }),
    },
  }),
  read(json, texts) {
    const { embeddings, meta } = fieldsOf(json)
    const billed = fieldsOf(fieldsOf(meta)['billed_units'])
    return { vectors: listOf(fieldsOf(embeddings)['float'], texts), inputTokens: countOf(billed['input_tokens']) }
  },
}

export const EMBEDDER_WIRES = { openai, ollama, google, cohere } as const
