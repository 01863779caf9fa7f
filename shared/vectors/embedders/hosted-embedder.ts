import { countTokens } from '#shared/text/tokens.ts'
import type { ProviderCalls } from '../provider/provider-call.ts'
import type { EmbeddedText, Embedder, QueryContext } from '../embedder.ts'
import { batchesOf } from '../store-query.ts'
import { malformed } from './embedder-wire.ts'
import type { EmbedderWire, EmbeddingAsked } from './embedder-wire.ts'

/** Requests of one call that are under way at once. */
export const PARALLEL_BATCHES = 4

export interface HostedModel {
  readonly provider: string
  readonly model: string
  readonly dimensions: number
  readonly maxBatch: number
  /** Ask the provider for vectors of `dimensions`, shorter than the model's own. */
  readonly shorten: boolean
}

/** An embedding model behind HTTP. Documents are given with their title and headings, which say what a chunk is about. */
export class HostedEmbedder implements Embedder {
  readonly id: string
  readonly dimensions: number
  readonly maxBatch: number
  readonly #model: HostedModel
  readonly #wire: EmbedderWire
  readonly #calls: ProviderCalls

  constructor(model: HostedModel, wire: EmbedderWire, calls: ProviderCalls) {
    this.id = `${model.provider}/${model.model}`
    this.dimensions = model.dimensions
    this.maxBatch = model.maxBatch
    this.#model = model
    this.#wire = wire
    this.#calls = calls
  }

  async embedDocuments(documents: readonly EmbeddedText[], signal: AbortSignal): Promise<Float32Array[]> {
    const texts = documents.map(documentText)
    const vectors: Float32Array[] = texts.map(() => new Float32Array(this.dimensions))
    const asked = [...texts.keys()].filter((at) => texts[at] !== '')
    const [first, ...others] = batchesOf(asked, this.maxBatch)
    const embed = async (batch: readonly number[], until: AbortSignal): Promise<void> => {
      const answers = await this.#ask(
        batch.map((at) => texts[at] ?? ''),
        'document',
        until,
      )
      for (const [place, answer] of answers.entries()) vectors[batch[place] ?? 0] = answer
    }
    // The first goes alone: a breaker that is half open lets one through, and would refuse those beside it.
    if (first !== undefined) await embed(first, signal)
    // The first that fails ends the others: nobody would read what they say.
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    const lane = async (): Promise<void> => {
      try {
        for (let batch = others.shift(); batch !== undefined; batch = others.shift()) await embed(batch, both)
      } catch (error) {
        stop.abort(error)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_BATCHES }, lane))
    stop.signal.throwIfAborted()
    return vectors
  }

  async embedQuery(question: string, _context: QueryContext, signal: AbortSignal): Promise<Float32Array> {
    const text = question.trim()
    const [vector] = text === '' ? [] : await this.#ask([text], 'query', signal)
    return vector ?? new Float32Array(this.dimensions)
  }

  async #ask(texts: readonly string[], kind: EmbeddingAsked['kind'], signal: AbortSignal): Promise<Float32Array[]> {
    const { model, shorten } = this.#model
    const shortenTo = shorten ? this.dimensions : null
    const answers = await this.#calls.ask(
      {
        ...this.#wire.request({ model, texts, kind, shortenTo }),
        read: (json) => {
          const { vectors, inputTokens } = this.#wire.read(json, texts.length)
          return { answer: vectors.map(numbersOf), inputTokens }
        },
        estimate: () => texts.reduce((sum, text) => sum + countTokens(text), 0),
      },
      signal,
    )
    // Not tried again: a model of another size has that size the next time too.
    for (const { length } of answers) {
      if (length !== this.dimensions)
        throw malformed(`${this.id} makes vectors of ${length} dimensions; ${this.dimensions} are configured.`)
    }
    return answers
  }
}

export function documentText({ title = '', headings = [], text }: EmbeddedText): string {
  if (text.trim() === '') return ''
  const under = [title, ...headings.filter((heading) => heading !== title)].filter((part) => part !== '').join(' › ')
  return under === '' ? text : `${under}\n\n${text}`
}

function numbersOf(value: unknown): Float32Array {
  if (!Array.isArray(value) || value.length === 0) throw malformed('An answer is no vector.')
  const vector = new Float32Array(value.length)
  for (const [at, number] of value.entries()) {
    if (typeof number !== 'number' || !Number.isFinite(number)) throw malformed('A vector holds what is no number.')
    vector[at] = number
  }
  return vector
}
