import { setImmediate as turn } from 'node:timers/promises'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { EmbeddedText, Embedder, QueryContext } from '../embedder.ts'
import { batchesOf } from '../store-query.ts'

/** What shared/ranking knows: features of a text, hashed. */
export interface LexicalMaths {
  /** Changes with anything that makes vectors incomparable. */
  readonly id: string
  readonly dimensions: number
  document(input: EmbeddedText): Float32Array
  query(question: string, idf: (term: string) => number): Float32Array
}

/** Between two of these the event loop goes round: about ten milliseconds of work. */
const BATCH = 64

/** The embedder that needs no key, network or weights. */
export class BuiltinEmbedder implements Embedder {
  readonly id: string
  readonly dimensions: number
  readonly maxBatch = BATCH
  readonly #maths: LexicalMaths

  constructor(maths: LexicalMaths) {
    this.id = maths.id
    this.dimensions = maths.dimensions
    this.#maths = maths
  }

  async embedDocuments(documents: readonly EmbeddedText[], signal: AbortSignal): Promise<Float32Array[]> {
    const vectors: Float32Array[] = []
    for (const batch of batchesOf(documents, BATCH)) {
      if (signal.aborted) throw new WaggleError('CANCELLED', { step: 'embedding' })
      for (const document of batch) vectors.push(this.#maths.document(document))
      await turn()
    }
    return vectors
  }

  async embedQuery(question: string, { idf }: QueryContext, signal: AbortSignal): Promise<Float32Array> {
    if (signal.aborted) throw new WaggleError('CANCELLED', { step: 'embedding' })
    return this.#maths.query(question, idf ?? (() => 1))
  }
}
