import { distance as levenshtein } from 'fastest-levenshtein'
import { wordAt } from '../facts/reading.ts'
import type { Reading } from '../facts/reading.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import type { Leaf } from './leaf.ts'

/** How far, in words, a cue reaches. */
const REACH_BEFORE = 8
const REACH_AFTER = 4
const NAME_WEIGHT = 1
const DESCRIPTION_WEIGHT = 0.4
const SYNONYM_WEIGHT = 0.6

/** How telling each cue is among its siblings: `side` tells nothing between side1, side2 and side3. */
export function cueWeights(leaves: readonly Leaf[]): ReadonlyMap<string, number> {
  const holders = new Map<string, number>()
  for (const leaf of leaves) {
    for (const cue of new Set([...leaf.nameCues, ...leaf.descriptionCues]))
      holders.set(cue, (holders.get(cue) ?? 0) + 1)
  }
  return new Map([...holders].map(([cue, count]) => [cue, 1 / count]))
}

/**
 * How strongly the words around a place speak of this slot: near words count more, words of the slot's name more than
 * words of its description, a cue beyond another fact counts half.
 */
export function cueScore(
  reading: Reading,
  leaf: Leaf,
  weights: ReadonlyMap<string, number>,
  place: { start: number; end: number },
  barriers: readonly { start: number; end: number }[],
): number {
  const first = wordAt(reading, place.start)
  const after = wordAt(reading, place.end)
  let score = 0
  for (let distance = 1; distance <= REACH_BEFORE; distance += 1) {
    const word = reading.words[first - distance]
    if (word === undefined) break
    const weight = weightOf(leaf, weights, word.stem)
    if (weight === 0) continue
    const between = reading.text.slice(word.end, place.start)
    const blocked = barriers.some((other) => other.start >= word.end && other.end <= place.start)
    // In `3 bedrooms, 2 bathrooms` the bedrooms belong to the 3.
    const owned = barriers.some(
      (other) => other.end <= word.start && /^[\s-]*$/.test(reading.text.slice(other.end, word.start)),
    )
    // `the player, Serena Williams`: a bare comma only introduces.
    const clause = /^,\s$/.test(between) ? 0.9 : /[,;.]\s/.test(between) ? 0.6 : 1
    score = Math.max(score, (weight / (1 + 0.3 * (distance - 1))) * clause * (blocked ? 0.4 : 1) * (owned ? 0.3 : 1))
  }
  // `a tennis player`: what stands before a person's kind is not the person.
  const reach = leaf.role === 'person' && leaf.slot.type === 'string' ? 0 : REACH_AFTER
  for (let distance = 1; distance <= reach; distance += 1) {
    const word = reading.words[after + distance - 1]
    if (word === undefined) break
    const weight = weightOf(leaf, weights, word.stem)
    if (weight === 0) continue
    const blocked = barriers.some((other) => other.start >= place.end && other.end <= word.start)
    const between = reading.text.slice(place.end, word.start)
    const clause = /[,;.]/.test(between) ? 0.5 : 1
    const beside = distance === 1 && /^[\s-]*$/.test(between) ? 1.15 : 0.85
    score = Math.max(score, (weight * beside * clause) / (1 + 0.5 * (distance - 1)) / (blocked ? 2.5 : 1))
  }
  return score
}

function weightOf(leaf: Leaf, weights: ReadonlyMap<string, number>, word: string): number {
  const telling = 0.35 + 0.65 * (weights.get(word) ?? 1)
  if (leaf.nameCues.includes(word)) return NAME_WEIGHT * telling
  if (leaf.descriptionCues.includes(word)) return DESCRIPTION_WEIGHT * telling
  for (const synonym of synonymsOf(word)) if (leaf.nameCues.includes(synonym)) return NAME_WEIGHT * SYNONYM_WEIGHT
  return leaf.nameCues.some((cue) => isMisspelt(word, cue)) ? NAME_WEIGHT * MISSPELT_WEIGHT * telling : 0
}

const MISSPELT_WEIGHT = 0.8
const MIN_MISSPELT_CHARS = 6

function isMisspelt(said: string, cue: string): boolean {
  if (said.length < MIN_MISSPELT_CHARS || cue.length < MIN_MISSPELT_CHARS || said[0] !== cue[0]) return false
  return Math.abs(said.length - cue.length) <= 2 && levenshtein(said, cue) <= 2
}
