import { isNumeric } from '../schema.ts'
import { convertUnit } from '../facts/unit.ts'
import type { NumberFact } from '../facts/fact.ts'
import { wordAt } from '../facts/reading.ts'
import type { Reading } from '../facts/reading.ts'
import { assign } from './assign.ts'
import type { Offer } from './assign.ts'
import { cueScore, cueWeights } from './cue-score.ts'
import { orderTwins } from './twins.ts'
import type { Filling } from './filling.ts'
import { isCue } from './leaf.ts'
import type { Leaf } from './leaf.ts'

const MAX_NUMBERS = 40
const REQUIRED_FLOOR = -0.4
const OPTIONAL_FLOOR = 0.42

/** Said in words: what is dropped, or starts from rest, has no initial speed. */
function isAtRest(reading: Reading, leaf: Leaf): boolean {
  const initial = leaf.required && leaf.nameWords.includes('initial') && leaf.dimension === 'speed'
  return initial && /\b(?:from|at) rest\b|\bdropped\b|\bstationary\b/i.test(reading.text)
}

/** Fills numeric slots: by label, by unit, by cue, and what is left in the order it was said. */
export function fillNumbers(filling: Filling): void {
  const { reading, toolWords } = filling
  const leaves = filling.open((leaf) => isNumeric(leaf.slot))
  if (leaves.length === 0) return
  const facts = reading.numbers.slice(0, MAX_NUMBERS).filter((fact) => filling.isFree(fact))
  const digits = facts.filter((fact) => fact.part === null && /\d/.test(fact.text)).length
  const scene: Scene = {
    reading,
    facts,
    weights: cueWeights(leaves),
    pairs: respectively(reading, leaves, facts),
    enough: digits >= leaves.filter((leaf) => leaf.required).length,
    toolWords,
  }
  const offers: Offer<NumberFact>[] = []
  for (const [row, leaf] of leaves.entries()) {
    for (const fact of facts) {
      const score = scoreOf(scene, leaf, fact)
      if (score !== null) offers.push({ row, value: fact, score, start: fact.start, end: fact.end })
    }
  }
  const taken = assign(
    offers,
    (row) => (leaves[row]?.required === true ? REQUIRED_FLOOR : OPTIONAL_FLOOR),
    (row) => leaves[row]?.required === true,
  )
  orderTwins(leaves, taken, offers)
  for (const [row, offer] of taken) {
    const leaf = leaves[row]
    if (leaf !== undefined) filling.take(leaf, valueFor(leaf, offer.value), { start: offer.start, end: offer.end })
  }
  for (const leaf of leaves) if (!filling.has(leaf) && isAtRest(reading, leaf)) filling.take(leaf, 0)
}

/** What all scores of one message share. */
interface Scene {
  readonly reading: Reading
  readonly facts: readonly NumberFact[]
  readonly weights: ReadonlyMap<string, number>
  readonly pairs: ReadonlyMap<Leaf, NumberFact>
  /** With digits enough for every required slot, numbers in words are hardly meant. */
  readonly enough: boolean
  readonly toolWords: ReadonlySet<string>
}

function scoreOf(scene: Scene, leaf: Leaf, fact: NumberFact): number | null {
  const { reading, facts, weights, pairs, enough, toolWords } = scene
  const value = valueFor(leaf, fact)
  const { minimum, maximum, type } = leaf.slot
  if ((minimum !== null && value < minimum) || (maximum !== null && value > maximum)) return null
  if (type === 'integer' && !Number.isInteger(value)) return null
  let score = cueScore(reading, leaf, weights, fact, facts) + (pairs.get(leaf) === fact ? 1 : 0)
  if (fact.label !== null) score += labelMatches(leaf, fact.label) ? 3 : isArgument(leaf, fact.label) ? 0.8 : -0.2
  // `the two sides`: a number in words counts the noun after it, and nothing else.
  const spelt = /^[a-z]/i.test(fact.text)
  if (isCount(leaf)) score += countScore(reading, fact, toolWords)
  else if (spelt && !isCounted(reading, leaf, fact)) score -= countsOther(reading, leaf, fact) || enough ? 0.8 : 0.05
  score += dimensionScore(leaf, fact) + boundScore(reading, leaf, fact, facts)
  const yearly = leaf.nameWords.includes('year')
  if (yearly && fact.value >= 1000 && fact.value <= 2200 && Number.isInteger(fact.value) && fact.unit === null)
    score += 0.8
  else if (yearly && fact.part === null) score -= 0.3
  if (fact.part === 'date' && !yearly && !/day|month/.test(leaf.slot.name)) score -= 1.2
  if (fact.part === 'time') score += clockScore(reading, leaf, fact)
  if (fact.part === 'span') score = spanScore(leaf, fact)
  if (fact.part === 'formula') score -= 1
  if (fact.part === 'code') score -= /\bid|number|code/.test(leaf.slot.name) ? 0 : 0.8
  return score
}

/** `next month` is one month, and thirty days where days are asked for; it is no other number. */
function spanScore(leaf: Leaf, fact: NumberFact): number {
  if (leaf.unit === null || fact.unit === null || leaf.unit.dimension !== 'time') return -2
  return leaf.unit.factor === fact.unit.factor ? 0.4 : 0.1
}

/** `the ten major events`, `5 latest news`: a small plain number soon followed by what the tool returns. */
function countScore(reading: Reading, fact: NumberFact, toolWords: ReadonlySet<string>): number {
  if (fact.currency !== null) return -1
  if (fact.unit !== null || fact.value >= 1_000 || fact.part !== null) return -0.3
  const at = wordAt(reading, fact.end)
  const near = reading.words.slice(at, at + 4)
  const until = near.findIndex((word) => word.stop)
  return near.slice(0, until < 0 ? near.length : until).some((word) => toolWords.has(word.stem)) ? 0.6 : 0.2
}

function isCount(leaf: Leaf): boolean {
  return /(?:^|_)(?:num|number|count|limit|top|quantity|qty|n)(?:_|$)|_count$|number of/i.test(
    `${leaf.slot.name} ${leaf.slot.description.slice(0, 40)}`,
  )
}

/** Of 6:30 the first number is the hour and the second the minute. */
function clockScore(reading: Reading, leaf: Leaf, fact: NumberFact): number {
  const isMinute = reading.text[fact.start - 1] === ':'
  if (/hour/.test(leaf.slot.name)) return isMinute ? -1 : 1
  if (/minute/.test(leaf.slot.name)) return isMinute ? 1 : -1
  return -1
}

/** `two coats`: the word after the number is the slot's own. */
function isCounted(reading: Reading, leaf: Leaf, fact: NumberFact): boolean {
  const next = reading.words[wordAt(reading, fact.end)]
  return next !== undefined && leaf.nameCues.includes(next.stem)
}

function countsOther(reading: Reading, leaf: Leaf, fact: NumberFact): boolean {
  const next = reading.words[wordAt(reading, fact.end)]
  if (next === undefined || next.stop || !/^[\s-]*$/.test(reading.text.slice(fact.end, next.start))) return false
  return !isCue(leaf, next.stem) && fact.unit === null && fact.currency === null
}

const LISTED =
  /^[^\p{L}\p{N}]*(?:(?:\p{L}{1,12}[^\p{L}\p{N}]*)?(?:and|or)[^\p{L}\p{N}]*|,[^\p{L}\p{N}]*)(?:(?:a|an|the)\s)?$/u

/** `its base and height as 6 cm and 10 cm`: as many slots named in a row as numbers follow in a row go in order. */
function respectively(reading: Reading, leaves: readonly Leaf[], facts: readonly NumberFact[]): Map<Leaf, NumberFact> {
  const pairs = new Map<Leaf, NumberFact>()
  for (let first = 0; first + 1 < facts.length; first += 1) {
    let last = first
    while (last + 1 < facts.length && LISTED.test(reading.text.slice(facts[last]?.extent, facts[last + 1]?.start)))
      last += 1
    const count = last - first + 1
    if (count < 2) continue
    const start = wordAt(reading, facts[first]?.start ?? 0)
    const floor = first === 0 ? 0 : wordAt(reading, facts[first - 1]?.end ?? 0)
    const named: Leaf[] = []
    for (let at = Math.max(floor, start - 14); at < start; at += 1) {
      const word = reading.words[at]
      const leaf =
        word === undefined
          ? undefined
          : leaves.find((other) => other.nameCues.includes(word.stem) && !named.includes(other))
      if (leaf !== undefined) named.push(leaf)
    }
    if (named.length === count)
      for (const [i, leaf] of named.entries()) {
        const fact = facts[first + i]
        if (fact !== undefined) pairs.set(leaf, fact)
      }
    first = last
  }
  return pairs
}

function dimensionScore(leaf: Leaf, fact: NumberFact): number {
  if (fact.currency !== null) {
    if (leaf.unit !== null || (leaf.dimension !== null && leaf.dimension !== 'percent')) return -1
    return /amount|price|cost|budget|salary|income|principal|fee|money|value|investment|deposit|payment|balance|loan|revenue|fare|rent|debt|bid|fund|cash|capital|dollar|usd|currency|spend|pay|wage|profit|assets?|worth/i.test(
      `${leaf.slot.name} ${leaf.slot.description}`,
    )
      ? 0.7
      : 0
  }
  if (fact.unit === null) return leaf.dimension === 'percent' ? -0.1 : 0
  if (leaf.dimension === fact.unit.dimension)
    return leaf.unit !== null && leaf.unit.factor === fact.unit.factor ? 1 : 0.7
  if (leaf.dimension === null)
    return fact.unit.dimension === 'percent' &&
      /rate|return|interest|growth|probab|discount|tax|frac|ratio|yield|level/i.test(leaf.slot.name)
      ? 0.7
      : 0
  // `current` is an ampere, but also "the current value": a mere word is weak evidence against.
  return leaf.unit !== null ? -1 : -0.6
}

const AT_MOST =
  /\b(?:under|below|less than|fewer than|at most|up to|no more than|maximum of|max|within|not exceeding|cheaper than|younger than)\s*(?:of\s*)?\W?$/i
const AT_LEAST =
  /\b(?:over|above|more than|at least|no less than|minimum of|min|exceeding|older than|greater than)\s*(?:of\s*)?\W?$/i

const RANGE = /^\s*(?:to|and|-|–|until)\s*[$€£¥]?\s*$/

/** `$300 to $400`, `between 3 and 5`: which end of a range a number is. */
function endOfRange(reading: Reading, fact: NumberFact, facts: readonly NumberFact[]): 'lower' | 'upper' | null {
  const at = facts.indexOf(fact)
  const [before, after] = [facts[at - 1], facts[at + 1]]
  if (after !== undefined && RANGE.test(reading.text.slice(fact.end, after.start)) && after.value > fact.value)
    return 'lower'
  if (before !== undefined && RANGE.test(reading.text.slice(before.end, fact.start)) && before.value < fact.value)
    return 'upper'
  return null
}

/** `under $200` is a maximum, `at least 4 stars` a minimum. */
function boundScore(reading: Reading, leaf: Leaf, fact: NumberFact, facts: readonly NumberFact[]): number {
  const before = reading.text.slice(Math.max(0, fact.start - 24), fact.start)
  const range = endOfRange(reading, fact, facts)
  const most = AT_MOST.test(before) || range === 'upper'
  const least = (AT_LEAST.test(before) && range !== 'upper') || range === 'lower'
  if (most === least) return 0
  if (leaf.nameWords.some((word) => ['max', 'maximum', 'limit', 'upper', 'below'].includes(word)))
    return most ? 0.5 : -0.8
  if (leaf.nameWords.some((word) => ['min', 'minimum', 'lower', 'above', 'least'].includes(word)))
    return least ? 0.5 : -0.8
  return 0
}

/** `at x = 2`: the value a function is taken at. */
function isArgument(leaf: Leaf, label: string): boolean {
  return label.length === 1 && leaf.nameWords.some((word) => ['point', 'value', 'at'].includes(word))
}

function labelMatches(leaf: Leaf, label: string): boolean {
  const name = leaf.slot.name.toLowerCase()
  return name === label || name.replaceAll('_', '') === label.replaceAll('_', '') || leaf.nameWords.includes(label)
}

function valueFor(leaf: Leaf, fact: NumberFact): number {
  if (fact.unit === null) return fact.value
  if (fact.unit.dimension === 'percent') {
    if (leaf.unit?.dimension === 'percent' || leaf.slot.type === 'integer') return fact.value
    const fraction = /percent/i.test(leaf.slot.description) && !/decimal|0\.\d/.test(leaf.slot.description)
    return fraction ? fact.value : Number((fact.value / 100).toPrecision(12))
  }
  return leaf.unit === null ? fact.value : convertUnit(fact.value, fact.unit, leaf.unit)
}
