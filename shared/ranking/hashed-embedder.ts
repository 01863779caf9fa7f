import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'
import type { QueryEmbedder } from './search-index.ts'
import { STEM } from './terms.ts'

/**
 * The builtin embedder's mathematics: words and their character 3- to 5-grams, hashed into a fixed number of dimensions with
 * a sign (Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009). It needs no weights, no
 * corpus and no network, and is the same everywhere for ever. Stored vectors hold no idf, so that they stay valid as a
 * collection grows; a question's vector is weighed by the idf of its words instead. Such a vector is lexical: it forgives
 * spelling and inflection in any language and knows no synonyms.
 */
export const HASHED_DIMENSIONS = 1_024
/** Part of every index generation: another number means vectors that cannot be compared with these. */
export const HASHED_VERSION = 'builtin/hashed-ngrams-1'

const MIN_GRAM = 3
const MAX_GRAM = 5
/** All of a word's n-grams together weigh this much of the word. */
const GRAMS_WEIGHT = 0.6
/** Words of more characters are data, and are hashed whole. */
const MAX_GRAM_WORD_CHARS = 30
const TITLE_WEIGHT = 0.5

export interface EmbeddedText {
  readonly text: string
  readonly title?: string
  readonly headings?: readonly string[]
  readonly language?: string
}

/** Unit length, unless the text holds no word: then zero everywhere. */
export function embedHashed(input: EmbeddedText): Float32Array {
  const counts = new Map<string, number>()
  tally(counts, readTerms(input.text, input.language), 1)
  tally(counts, readTerms([input.title ?? '', ...(input.headings ?? [])].join('\n'), input.language), TITLE_WEIGHT)
  const vector = new Float32Array(HASHED_DIMENSIONS)
  for (const [word, count] of counts) addWord(vector, word, count < 1 ? count : 1 + Math.log(count))
  return normalise(vector)
}

/** A question's vector; `idf` weighs a term of the index (`queryTerms` makes the same ones). */
export function embedHashedQuery(question: string, idf: (term: string) => number): Float32Array {
  const counts = new Map<string, number>()
  const words = readTerms(question)
  tally(counts, words, 1)
  const stems = new Map(words.map((word) => [word.surface, word.stem]))
  const vector = new Float32Array(HASHED_DIMENSIONS)
  for (const [word, count] of counts)
    addWord(vector, word, (1 + Math.log(count)) * idf(STEM + (stems.get(word) ?? word)))
  return normalise(vector)
}

export const hashedQueryEmbedder: QueryEmbedder = {
  embedQuery: (question, idf) => Promise.resolve(embedHashedQuery(question, idf)),
}

function tally(counts: Map<string, number>, words: readonly RankWord[], weight: number): void {
  for (const word of words) if (!word.stop) counts.set(word.surface, (counts.get(word.surface) ?? 0) + weight)
}

function addWord(vector: Float32Array, word: string, weight: number): void {
  addFeature(vector, `#${word}`, weight)
  if (word.length > MAX_GRAM_WORD_CHARS) return
  const framed = `<${word}>`
  let grams = 0
  for (let size = MIN_GRAM; size <= MAX_GRAM; size += 1) grams += Math.max(0, framed.length - size + 1)
  if (grams === 0) return
  const share = (weight * GRAMS_WEIGHT) / Math.sqrt(grams)
  for (let size = MIN_GRAM; size <= MAX_GRAM; size += 1)
    for (let at = 0; at + size <= framed.length; at += 1) addFeature(vector, framed.slice(at, at + size), share)
}

function addFeature(vector: Float32Array, feature: string, weight: number): void {
  const hash = hashOf(feature)
  const at = hash % HASHED_DIMENSIONS
  vector[at] = (vector[at] ?? 0) + (hash & SIGN_BIT ? weight : -weight)
}

/** A bit the dimension does not depend on. */
const SIGN_BIT = 1 << 20

/** FNV-1a over UTF-16 units with the finaliser of MurmurHash3: short strings differ in every bit. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export function normalise(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  if (squares === 0) return vector
  const scale = 1 / Math.sqrt(squares)
  for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) * scale
  return vector
}
