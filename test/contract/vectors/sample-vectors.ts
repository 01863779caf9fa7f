import { seededRandom } from '#shared/lib/random.ts'
import type { VectorHit, VectorPoint } from '#shared/vectors/vector-store.ts'

/** Numbers between -1 and 1, the same for the same seed. */
export function sampleVector(dimensions: number, seed: number): Float32Array {
  const random = seededRandom(seed)
  return Float32Array.from({ length: dimensions }, () => random() * 2 - 1)
}

/** `count` points of one segment. */
export function samplePoints(dimensions: number, count: number, segment: number, seed = segment): VectorPoint[] {
  return Array.from({ length: count }, (_, ordinal) => ({
    segment,
    ordinal,
    vector: sampleVector(dimensions, seed * 10_007 + ordinal),
  }))
}

/** Every point compared in double precision: what an exact answer is measured by. */
export function rankedByHand(points: readonly VectorPoint[], vector: Float32Array): VectorHit[] {
  return points
    .map((point) => ({ segment: point.segment, ordinal: point.ordinal, score: cosine(point.vector, vector) }))
    .toSorted((a, b) => b.score - a.score || a.segment - b.segment || a.ordinal - b.ordinal)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let product = 0
  let left = 0
  let right = 0
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0
    product += value * other
    left += value * value
    right += other * other
  }
  return left === 0 || right === 0 ? 0 : product / Math.sqrt(left * right)
}

export function placesOf(hits: readonly { readonly segment: number; readonly ordinal: number }[]): string[] {
  return hits.map((hit) => `${hit.segment}/${hit.ordinal}`)
}
