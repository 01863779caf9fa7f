import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { z } from 'zod'

import { hold } from '#test/kit/leaks.ts'

import { sampleVector } from './sample-vectors.ts'

/**
 * A server that speaks every wire of embedders and rerankers as their references describe them. It checks each request
 * against the shape and answers with a vector made of the text itself, so that order and mixing up can be told; and it can
 * fail in every way a provider does. What does not fit is answered 400 and kept in `violations`.
 */
export const PROVIDER_DIMENSIONS = 6

const model = z.string().min(1)
const texts = z.array(z.string().min(1)).min(1)

/** Path -> how it is asked and how it answers. */
const OPERATIONS = {
  '/v1/embeddings': operation(
    z.strictObject({
      model,
      input: texts.max(2_048),
      encoding_format: z.literal('float'),
      dimensions: z.number().int().min(1).optional(),
    }),
    ({ input, dimensions }) => ({
      object: 'list',
      model: 'served',
      // In any order: each says its place.
      data: input
        .map((text, index) => ({ object: 'embedding', index, embedding: embed(text, dimensions) }))
        .toReversed(),
      usage: { prompt_tokens: 7 * input.length, total_tokens: 7 * input.length },
    }),
  ),
  '/api/embed': operation(
    z.strictObject({ model, input: texts, truncate: z.boolean(), dimensions: z.number().int().optional() }),
    ({ input, dimensions }) => ({
      model: 'served',
      embeddings: input.map((text) => embed(text, dimensions)),
      total_duration: 14_143_917,
      load_duration: 1_019_500,
      prompt_eval_count: 7 * input.length,
    }),
  ),
  '/v1beta/models/the-model:batchEmbedContents': operation(
    z.strictObject({
      requests: z
        .array(
          z.strictObject({
            model: z.literal('models/the-model'),
            content: z.strictObject({ parts: z.tuple([z.strictObject({ text: z.string().min(1) })]) }),
            taskType: z.enum(['RETRIEVAL_DOCUMENT', 'RETRIEVAL_QUERY']),
            outputDimensionality: z.number().int().optional(),
          }),
        )
        .min(1)
        .max(100),
    }),
    ({ requests }) => ({
      embeddings: requests.map(({ content, outputDimensionality }) => ({
        values: embed(content.parts[0].text, outputDimensionality),
      })),
    }),
  ),
  '/v2/embed': operation(
    z.strictObject({
      model,
      texts: texts.max(96),
      input_type: z.enum(['search_document', 'search_query', 'classification', 'clustering']),
      embedding_types: z.tuple([z.literal('float')]),
      truncate: z.enum(['NONE', 'START', 'END']).optional(),
      output_dimension: z.number().int().optional(),
    }),
    (body) => ({
      id: 'da6e531f',
      embeddings: { float: body.texts.map((text) => embed(text, body.output_dimension)) },
      texts: body.texts,
      meta: { api_version: { version: '2' }, billed_units: { input_tokens: 7 * body.texts.length } },
    }),
  ),
  '/v2/rerank': operation(
    z.strictObject({
      model,
      query: z.string().min(1),
      documents: texts.max(1_000),
      top_n: z.number().int().min(1).optional(),
    }),
    ({ documents }) => ({
      id: '07734bd2',
      results: byScore(documents).map(({ index, score }) => ({ index, relevance_score: score })),
      meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
    }),
  ),
  '/v1/rerank': operation(
    z.strictObject({
      model,
      query: z.string().min(1),
      documents: texts,
      top_n: z.number().int().min(1).optional(),
      return_documents: z.boolean().optional(),
    }),
    ({ documents }) => ({
      model: 'served',
      usage: { total_tokens: 7 * documents.length },
      results: byScore(documents).map(({ index, score }) => ({ index, relevance_score: score })),
    }),
  ),
  '/rerank': operation(
    z.strictObject({
      query: z.string().min(1),
      texts: texts.max(32),
      raw_scores: z.boolean().optional(),
      return_text: z.boolean().optional(),
      truncate: z.boolean().optional(),
    }),
    (body) => byScore(body.texts),
  ),
} as const

/** What the server says instead of an answer, once for each. */
export type ProviderReply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** The true answer, changed. */
  | { readonly change: (answer: Record<string, never>) => unknown }
  /** This text with status 200. */
  | { readonly text: string }
  /** The beginning of an answer, then the connection is destroyed. */
  | 'cut'
  /** The connection stays open and silent. */
  | 'silent'

export interface ProviderRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

export class ProviderServer {
  readonly requests: ProviderRequest[] = []
  readonly violations: string[] = []
  /** The most requests that were open at once. */
  peak = 0
  #open = 0
  readonly #waiting: (() => void)[] = []
  #replies: ProviderReply[] = []
  readonly #server: Server
  #release: () => void = () => undefined

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.#release = hold('server', 'provider')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    this.#release()
  }

  /** What the next requests are told, one each; then it answers as it should. */
  next(...replies: ProviderReply[]): void {
    this.#replies = replies
    this.requests.length = 0
    this.peak = 0
  }

  /** Nobody waits for an answer: what a test gave up must not take the replies meant for the next. */
  idle(): Promise<void> {
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open += 1
    this.peak = Math.max(this.peak, this.#open)
    response.on('close', () => {
      this.#open -= 1
      if (this.#open === 0) for (const wake of this.#waiting.splice(0)) wake()
    })
    const path = request.url ?? ''
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>
    this.requests.push({ path, headers: request.headers, body })
    const reply = this.#replies.shift()
    if (reply === 'silent') return
    const answer = this.#answer(request.method ?? '', path, body)
    if (answer === null) return send(response, 400, { error: { message: this.violations.at(-1) } })
    if (reply === undefined) return send(response, 200, answer)
    if (reply === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
      response.write('{"data":[', () => response.destroy())
    } else if ('status' in reply) {
      const { status, headers = {}, body: said = { error: { message: 'no' } } } = reply
      response.writeHead(status, headers).end(JSON.stringify(said))
    } else if ('text' in reply) response.writeHead(200).end(reply.text)
    else send(response, 200, reply.change(answer as Record<string, never>))
  }

  #answer(method: string, path: string, body: unknown): unknown {
    const known = (OPERATIONS as Record<string, Operation | undefined>)[path]
    const problem = method === 'POST' && known !== undefined ? known.problem(body) : `${method} ${path} is not known`
    if (known === undefined || problem !== null) {
      this.violations.push(problem ?? '')
      return null
    }
    return known.answer(body)
  }
}

interface Operation {
  problem(body: unknown): string | null
  answer(body: unknown): unknown
}

function operation<Body>(shape: z.ZodType<Body>, answer: (body: Body) => unknown): Operation {
  return {
    problem(body) {
      const parsed = shape.safeParse(body)
      return parsed.success ? null : JSON.stringify(parsed.error.issues)
    },
    answer: (body) => answer(shape.parse(body)),
  }
}

/** The same text has the same vector. */
export function embed(text: string, dimensions = PROVIDER_DIMENSIONS): number[] {
  return [...sampleVector(dimensions, numberOf(text))]
}

export function scoreOf(text: string): number {
  return (numberOf(text) % 1_000) / 1_000
}

function byScore(list: readonly string[]): { index: number; score: number }[] {
  return list.map((text, index) => ({ index, score: scoreOf(text) })).toSorted((a, b) => b.score - a.score)
}

function numberOf(text: string): number {
  let hash = 17
  for (const letter of text) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) >>> 0
  return hash
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
