import { WaggleError } from '#shared/errors/waggle-error.ts'

import { MAX_DIMENSIONS } from './vector-store.ts'
import type { VectorIndex } from './vector-store.ts'

/**
 * The vector at length one, so that inner product and cosine are the same: cheaper, and a vector of zeros (a text without a
 * word) stays one that every store can keep, where a cosine index leaves it out. Throws WRONG_VECTOR for what does not fit.
 */
export function unitVector(vector: Float32Array, index: VectorIndex): Float32Array {
  requireDimensions(index)
  if (vector.length !== index.dimensions) {
    throw new WaggleError('WRONG_VECTOR', {
      reason: `It has ${vector.length} dimensions instead of ${index.dimensions}.`,
      collection: index.collection,
      generation: index.generation,
    })
  }
  let squares = 0
  for (const value of vector) squares += value * value
  if (!Number.isFinite(squares)) {
    throw new WaggleError('WRONG_VECTOR', { reason: 'It holds what is no number.', collection: index.collection })
  }
  if (squares === 0) return vector
  const length = Math.sqrt(squares)
  return vector.map((value) => value / length)
}

export function requireDimensions({ dimensions, collection }: VectorIndex): void {
  if (Number.isInteger(dimensions) && dimensions > 0 && dimensions <= MAX_DIMENSIONS) return
  throw new WaggleError('WRONG_VECTOR', {
    reason: `An index has 1 to ${MAX_DIMENSIONS} dimensions, not ${dimensions}.`,
    collection,
  })
}
