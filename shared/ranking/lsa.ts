import { idfOf } from './bm25.ts'
import { normalise } from './hashed-embedder.ts'
import type { EmbeddedText } from './hashed-embedder.ts'
import { rightSingularVectors } from './randomised-svd.ts'
import type { SparseRows } from './randomised-svd.ts'
import { SURFACE, indexTerms, queryTerms } from './terms.ts'

/**
 * Latent semantic analysis of one collection (Deerwester et al., JASIS 41/6, 1990): words that stand in like passages come to
 * lie near each other, so that a question finds what says the same in other words of this collection. It knows nothing
 * that the collection does not show, and a collection of a few passages shows little: whether it helps is for the
 * collection's golden questions to say.
 */
export const LSA_DIMENSIONS = 256
/** Part of every index generation that is fitted. */
export const LSA_VERSION = 'builtin/lsa'
/** Passages a model is fitted to; of more, a sample will do. */
export const LSA_MAX_PASSAGES = 20_000
/** 20,000 words are five megabytes of model. */
const MAX_TERMS = 20_000
/** A word of one passage has no company to be known by. */
const MIN_PASSAGES = 2
/** With as many dimensions as passages nothing would be drawn together. */
const PASSAGES_PER_DIMENSION = 4
const SEED = 20_117

export interface LsaModel {
  /** Terms of the index, stems and beginnings of words. */
  readonly terms: readonly string[]
  /** What a term weighs: its idf when the model was fitted. */
  readonly idf: Float32Array
  /** Of each term, LSA_DIMENSIONS whole numbers; times `scales` of the term they are its place. */
  readonly places: Int8Array
  readonly scales: Float32Array
}

/** Seconds of work for thousands of passages: not for an event loop. */
export function fitLsa(passages: readonly EmbeddedText[]): LsaModel {
  const counted = passages.slice(0, LSA_MAX_PASSAGES).map(weightsOf)
  const frequencies = new Map<string, number>()
  for (const terms of counted) for (const term of terms.keys()) frequencies.set(term, (frequencies.get(term) ?? 0) + 1)
  const kept = [...frequencies]
    .filter(([, frequency]) => frequency >= MIN_PASSAGES)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MAX_TERMS)
  const terms = kept.map(([term]) => term)
  const idf = Float32Array.from(kept, ([, frequency]) => idfOf(frequency, counted.length))
  const rank = Math.min(LSA_DIMENSIONS, Math.ceil(counted.length / PASSAGES_PER_DIMENSION))
  const axes = rightSingularVectors(matrixOf(counted, terms, idf), rank, SEED)
  return { terms, idf, ...quantised(terms.length, axes) }
}

function weightsOf(passage: EmbeddedText): Map<string, number> {
  const { title = '', headings = [], language = '' } = passage
  const { terms } = indexTerms({ text: passage.text, title, headings, header: '', language })
  return new Map([...terms].filter(([term]) => !term.startsWith(SURFACE)).map(([term, tf]) => [term, damped(tf)]))
}

function damped(tf: number): number {
  return tf < 1 ? tf : 1 + Math.log(tf)
}

/** A row of unit length for each passage. */
function matrixOf(
  counted: readonly ReadonlyMap<string, number>[],
  terms: readonly string[],
  idf: Float32Array,
): SparseRows {
  const column = new Map(terms.map((term, at) => [term, at]))
  const offsets = new Uint32Array(counted.length + 1)
  const at: number[] = []
  const values: number[] = []
  for (const [row, weights] of counted.entries()) {
    let squares = 0
    const from = at.length
    for (const [term, weight] of weights) {
      const place = column.get(term)
      if (place === undefined) continue
      const value = weight * (idf[place] ?? 0)
      squares += value * value
      at.push(place)
      values.push(value)
    }
    for (let entry = from; entry < values.length; entry += 1) values[entry] = (values[entry] ?? 0) / Math.sqrt(squares)
    offsets[row + 1] = at.length
  }
  return { columns: terms.length, offsets, at: Uint32Array.from(at), values: Float32Array.from(values) }
}

const QUANTA = 127

function quantised(terms: number, axes: readonly Float32Array[]): Pick<LsaModel, 'places' | 'scales'> {
  const places = new Int8Array(terms * LSA_DIMENSIONS)
  const scales = new Float32Array(terms)
  for (let term = 0; term < terms; term += 1) {
    let largest = 0
    for (const axis of axes) largest = Math.max(largest, Math.abs(axis[term] ?? 0))
    scales[term] = largest / QUANTA
    if (largest === 0) continue
    for (const [at, axis] of axes.entries())
      places[term * LSA_DIMENSIONS + at] = Math.round(((axis[term] ?? 0) / largest) * QUANTA)
  }
  return { places, scales }
}

/** Where a text lies: unit length, or zero everywhere when the model knows none of its words. */
export interface LsaEmbedder {
  document(text: EmbeddedText): Float32Array
  query(question: string): Float32Array
}

export function lsaEmbedder({ terms, idf, places, scales }: LsaModel): LsaEmbedder {
  const rows = new Map(terms.map((term, at) => [term, at]))
  const placed = (weights: Iterable<readonly [string, number]>): Float32Array => {
    const vector = new Float32Array(LSA_DIMENSIONS)
    for (const [term, weight] of weights) {
      const row = rows.get(term)
      if (row === undefined) continue
      const scale = weight * (idf[row] ?? 0) * (scales[row] ?? 0)
      const from = row * LSA_DIMENSIONS
      for (let at = 0; at < LSA_DIMENSIONS; at += 1) vector[at] = (vector[at] ?? 0) + scale * (places[from + at] ?? 0)
    }
    return normalise(vector)
  }
  return {
    document: (text) => placed(weightsOf(text)),
    query: (question) => placed(queryTerms(question).map(({ term, weight }) => [term, weight] as const)),
  }
}

const MAGIC = 0x4c53_4131
const HEADER_BYTES = 12
const FLOAT_BYTES = 4

/** Magic, number of terms, bytes of the terms; idf and scales; terms, one a line; places. Little endian. */
export function lsaToBytes({ terms, idf, places, scales }: LsaModel): Uint8Array {
  const words = new TextEncoder().encode(terms.join('\n'))
  const bytes = new Uint8Array(HEADER_BYTES + 2 * FLOAT_BYTES * terms.length + words.length + places.length)
  const view = new DataView(bytes.buffer)
  for (const [at, value] of [MAGIC, terms.length, words.length].entries()) view.setUint32(at * FLOAT_BYTES, value, true)
  let at = HEADER_BYTES
  for (const value of [...idf, ...scales]) {
    view.setFloat32(at, value, true)
    at += FLOAT_BYTES
  }
  bytes.set(words, at)
  bytes.set(new Uint8Array(places.buffer, places.byteOffset, places.length), at + words.length)
  return bytes
}

/** Null for bytes that are no model of this version. */
export function lsaFromBytes(bytes: Uint8Array): LsaModel | null {
  if (bytes.length < HEADER_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [magic, count, wordBytes] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [number, number, number]
  const words = HEADER_BYTES + 2 * FLOAT_BYTES * count
  if (magic !== MAGIC || bytes.length !== words + wordBytes + count * LSA_DIMENSIONS) return null
  const floats = (from: number): Float32Array =>
    Float32Array.from({ length: count }, (_, at) => view.getFloat32(from + at * FLOAT_BYTES, true))
  const terms = new TextDecoder().decode(bytes.subarray(words, words + wordBytes)).split('\n')
  return {
    terms: count === 0 ? [] : terms,
    idf: floats(HEADER_BYTES),
    scales: floats(HEADER_BYTES + FLOAT_BYTES * count),
    // A copy: the slice of a Buffer, as a database gives it, is a view of a larger one.
    places: new Int8Array(Uint8Array.from(bytes.subarray(words + wordBytes)).buffer),
  }
}
