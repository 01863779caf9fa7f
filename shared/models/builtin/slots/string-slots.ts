import type { TextFact } from '../facts/fact.ts'
import { wordAt } from '../facts/reading.ts'
import type { Reading } from '../facts/reading.ts'
import { IMPERATIVES } from '../facts/span.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import { GENERIC } from '#shared/text/words.ts'
import type { Word } from '#shared/text/words.ts'
import { assign } from './assign.ts'
import type { Offer } from './assign.ts'
import { cueScore, cueWeights } from './cue-score.ts'
import type { Filling } from './filling.ts'
import { isCue } from './leaf.ts'
import type { Leaf } from './leaf.ts'
import { isPlace, isPreposition, isProper, leadsTo } from './role.ts'
import type { Role } from './role.ts'
import { spansOf } from './spans.ts'
import { orderTwins } from './twins.ts'

const REQUIRED_FLOOR = 0.35
const OPTIONAL_FLOOR = 1.75
/** A name behind the right preposition is enough for a slot that wants a name. */
const OPTIONAL_NAME_FLOOR = 1.45
const MAX_SPANS = 60
const CLAIM_WEIGHT = 0.35
/** Words that may stand between a preposition and what it leads to. */
const FILLERS = new Set('the a an my our your his her their this that city town state country of'.split(' '))

/** Fills free-text slots with spans of the message, all of them at once. */
export function fillStrings(filling: Filling): void {
  const { reading, toolWords, used } = filling
  const leaves = filling.open(isFreeText)
  if (leaves.length === 0) return
  const weights = cueWeights(leaves)
  const offers: Offer<TextFact>[] = []
  for (const span of spansOf(reading, leaves, toolWords, used).slice(0, MAX_SPANS)) {
    const scores = leaves.map((leaf) => scoreSpan(reading, leaf, span, weights, toolWords, leaves))
    const best = Math.max(...scores)
    for (const [row, raw] of scores.entries()) {
      // What another slot has a better claim to is worth less to this one.
      offers.push({ row, value: span, score: raw - CLAIM_WEIGHT * (best - raw), start: span.start, end: span.end })
    }
  }
  const required = (row: number): boolean => leaves[row]?.required === true
  const floor = (row: number): number => {
    const leaf = leaves[row]
    if (leaf === undefined || leaf.required) return REQUIRED_FLOOR
    return isProper(leaf.role) ? OPTIONAL_NAME_FLOOR : OPTIONAL_FLOOR
  }
  const taken = assign(offers, floor, required)
  orderTwins(leaves, taken, offers)
  for (const [row, offer] of taken) {
    const leaf = leaves[row]
    if (leaf !== undefined) filling.take(leaf, offer.value.text, { start: offer.start, end: offer.end })
  }
}

/** What typed recognisers do not answer for: theirs stay open when they found nothing. */
export function isFreeText({ slot, role, required }: Leaf): boolean {
  if (slot.choices !== null || slot.pattern !== null || (slot.type !== 'string' && slot.type !== 'any')) return false
  return !['email', 'url', 'phone', 'currency', 'language'].includes(role) && !(role === 'unit' && required)
}

function scoreSpan(
  reading: Reading,
  leaf: Leaf,
  span: TextFact,
  weights: ReadonlyMap<string, number>,
  toolWords: ReadonlySet<string>,
  leaves: readonly Leaf[],
): number {
  const { role } = leaf
  const inner = reading.words.filter((word) => word.start >= span.start && word.start < span.end)
  const content = inner.filter((word) => !word.stop)
  if (content.length === 0 && span.kind !== 'quoted' && span.kind !== 'code') return -1
  const novel = content.filter((word) => !toolWords.has(word.stem) && !GENERIC.has(word.stem)).length
  let score = baseOf(span, role)
  score += content.length === 0 ? 0 : 0.5 * (novel / content.length) - 0.3
  if (span.kind === 'phrase') score += phraseScore(reading, role, inner, content, novel, leaf)
  if (isCutOut(reading, span)) score -= 0.9
  // `Hotel Paradise`, `Metropolitan Museum of Art`: the name says itself what it is.
  const says =
    span.kind === 'name' && role !== 'id' && content.length > 1 && content.some((word) => namesSlot(leaf, word.stem))
  score += says ? 0.9 : 0
  score += leadScore(reading, span, role, leaf)
  score += 1.1 * cueScore(reading, leaf, weights, span, [])
  score += placeScore(reading, span, leaf, leaves)
  score += ofScore(reading, span, role)
  return score
}

function baseOf(span: TextFact, role: Role): number {
  switch (span.kind) {
    case 'quoted':
      return role === 'aspect' ? 0.2 : 1.2
    case 'name':
      if (role === 'id') return /^[\p{Lu}\d.-]+$/u.test(span.text) ? 1 : 0.2
      return isProper(role) ? 1 : role === 'message' || role === 'aspect' ? 0 : 0.55
    case 'end':
      return role === 'place' ? 1.1 : isProper(role) ? 0.75 : 0.4
    case 'formula':
      return role === 'formula' ? 1.5 : -1
    case 'pair':
      return role === 'title' ? 1.2 : -1
    case 'extended':
      if (role === 'id') return 0.1
      return role === 'place' || role === 'title' ? 1.2 : isProper(role) ? 0.5 : 0.75
    case 'address':
      return isPlace(role) ? 1.8 : 0.2
    case 'code':
      return role === 'id' ? 1.2 : /[_\\/]|\.\w+$/.test(span.text) ? 0.9 : /\d/.test(span.text) ? 0.45 : 0.1
    case 'phrase':
      return role === 'title' ? 0.3 : isProper(role) ? 0.15 : role === 'message' ? 0 : 0.35
    case 'tail':
      return role === 'message' ? 0.8 : role === 'topic' ? 0.3 : -1
    case 'email':
    case 'url':
    case 'phone':
      return 0
  }
}

/** What speaks against a run of plain words: that it is a verb, that it is long, that it only repeats the tool. */
function phraseScore(
  reading: Reading,
  role: Role,
  inner: readonly Word[],
  content: readonly Word[],
  novel: number,
  leaf: Leaf,
): number {
  let score = 0
  // Words the tool has itself name no value: `the address of the order` is not the address `order`.
  if (novel === 0) score -= 1.5
  if (content.some((word) => leaf.nameCues.includes(word.stem))) score -= 0.3
  if (isProper(role) && role !== 'title' && reading.names.length > 0) score -= 0.8
  score -= 0.15 * content.filter((word) => GENERIC.has(word.stem)).length
  if (isVerb(reading, inner[0])) score -= 0.6
  if (inner.length > 6) score -= 0.3
  return score
}

/** A phrase cut out of a name (`Metropolitan` of the Metropolitan Museum of Art) is hardly what was meant. */
function isCutOut(reading: Reading, span: TextFact): boolean {
  return span.kind === 'phrase' && reading.names.some((name) => name.start <= span.start && name.end >= span.end)
}

/** One place with what it lies in, unless slots want the parts apart: `Paris, France` as city and country. */
function placeScore(reading: Reading, span: TextFact, leaf: Leaf, leaves: readonly Leaf[]): number {
  const outer = /country|state|province|region/.test(leaf.slot.name)
  if (span.parts !== undefined) {
    if (!isPlace(leaf.role)) return -1
    const parted = leaves.filter((other) => isPlace(other.role) && other.required && other.role === 'place').length > 1
    return parted || outer ? -1 : 0.35
  }
  if (!outer) return 0
  return reading.names.some((name) => name.parts !== undefined && name.end === span.end && name.start < span.start)
    ? 0.6
    : 0
}

function leadScore(reading: Reading, span: TextFact, role: Role, leaf: Leaf): number {
  let at = wordAt(reading, span.start) - 1
  let steps = 0
  while (at >= 0 && steps < 3) {
    const word = reading.words[at]
    if (word === undefined) break
    const lead = leadsTo(word.lower, role)
    if (lead > 0) return 0.7 * lead
    if (!FILLERS.has(word.lower) && !isCue(leaf, word.stem)) break
    at -= 1
    steps += 1
  }
  return isObject(reading, span) ? 0.3 : 0
}

/** In `the boiling point of mercury` the aspect stands before the `of` and the thing after it. */
function ofScore(reading: Reading, span: TextFact, role: Role): number {
  const before = /\bof\s+(?:the\s+|an?\s+)?$/i.test(reading.text.slice(Math.max(0, span.start - 9), span.start))
  const after = /^\s+(?:of|about)\b/i.test(reading.text.slice(span.end, span.end + 7))
  if (role === 'aspect') return after ? 0.8 : before ? -0.6 : 0
  return after && span.kind === 'phrase' ? -0.4 : 0
}

/** What comes before the first preposition is what the verb is about: `Find the top five organic bananas brands on …`. */
function isObject(reading: Reading, span: TextFact): boolean {
  for (let at = wordAt(reading, span.start) - 1; at >= 0; at -= 1) {
    const word = reading.words[at]
    if (word === undefined || /[.!?;]\s/.test(reading.text.slice(word.end, word.end + 2))) return true
    if (isPreposition(word.lower)) return false
  }
  return true
}

/** `to prepare`, `Change my …`: a verb is not a value. */
function isVerb(reading: Reading, first: Word | undefined): boolean {
  if (first === undefined) return false
  const before = reading.words[wordAt(reading, first.start) - 1]
  const opens =
    before === undefined ||
    /[.!?,]\s*$|\b(?:and|to|please|you|i)\s+$/i.test(reading.text.slice(Math.max(0, first.start - 8), first.start))
  if (opens && IMPERATIVES.has(first.lower)) return true
  return before?.lower === 'to' && first.text === first.lower
}

function namesSlot(leaf: Leaf, word: string): boolean {
  if (leaf.nameCues.includes(word)) return true
  for (const synonym of synonymsOf(word)) if (leaf.nameCues.includes(synonym)) return true
  return false
}
