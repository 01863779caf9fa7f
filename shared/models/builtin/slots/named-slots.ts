import { currencyNamed } from '../facts/number.ts'
import type { Reading } from '../facts/reading.ts'
import { unitNamed } from '../facts/unit.ts'
import { assign } from './assign.ts'
import type { Filling } from './filling.ts'
import type { Leaf } from './leaf.ts'

export interface Named {
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Every currency the message names, as its ISO 4217 code. `500 US dollars` names one as well. */
export function currenciesIn(reading: Reading): Named[] {
  const named: Named[] = []
  for (const word of reading.words) {
    if (named.some((other) => word.start < other.end)) continue
    const found = currencyNamed(reading.text.slice(word.start, word.start + 40))
    if (found !== null) named.push({ value: found.code, start: word.start, end: word.start + found.length })
  }
  for (const fact of reading.numbers) {
    if (fact.currency !== null && !named.some((other) => other.start >= fact.start && other.start <= fact.extent)) {
      named.push({ value: fact.currency, start: fact.start, end: fact.end })
    }
  }
  const unique = named.filter((one, at) => named.findIndex((other) => other.value === one.value) === at)
  return unique.toSorted((a, b) => a.start - b.start)
}

const LANGUAGES = new Set(
  'english french german spanish italian portuguese dutch swedish norwegian danish finnish polish czech slovak hungarian romanian bulgarian greek turkish russian ukrainian arabic hebrew persian farsi hindi urdu bengali punjabi tamil telugu marathi gujarati chinese mandarin cantonese japanese korean thai vietnamese indonesian malay tagalog filipino swahili zulu afrikaans latin irish welsh catalan basque croatian serbian slovenian estonian latvian lithuanian icelandic'.split(
    ' ',
  ),
)

export function languagesIn(reading: Reading): Named[] {
  return reading.words
    .filter((word) => LANGUAGES.has(word.lower))
    .map((word) => ({ value: word.text, start: word.start, end: word.end }))
}

const SOURCE_WORDS = new Set(['from', 'source', 'base', 'origin', 'original', 'input'])
const TARGET_WORDS = new Set(['to', 'into', 'target', 'destination', 'quote', 'output', 'desired'])

/** `from euros to dollars`; and an amount is in the currency one has: `how many dollars for 500 euros`. */
function directionScore(reading: Reading, leaf: Leaf, named: Named): number {
  const before = reading.text.slice(Math.max(0, named.start - 14), named.start).toLowerCase()
  const source = leaf.nameWords.some((word) => SOURCE_WORDS.has(word))
  const target = leaf.nameWords.some((word) => TARGET_WORDS.has(word))
  const amount = /\d\s*$/.test(before) || /^[$€£¥₹\d]/.test(reading.text.slice(named.start))
  if (/\b(?:to|into|in)\s+(?:the\s+)?$/.test(before)) return target ? 1 : source ? -1 : 0
  if (/\bfrom\s+(?:the\s+)?$/.test(before) || amount) return source ? 1 : target ? -1 : 0
  return 0
}

/** Units of measure the message names, as it names them. */
function unitsIn(reading: Reading): Named[] {
  const named: Named[] = []
  for (const fact of reading.numbers) {
    if (fact.unit !== null)
      named.push({ value: reading.text.slice(fact.end, fact.extent).trim(), start: fact.start, end: fact.extent })
  }
  for (const word of reading.words) {
    const known = word.text.length > 3 ? unitNamed(word.text) : null
    if (known !== null && !named.some((other) => word.start < other.end && word.end > other.start))
      named.push({ value: word.text, start: word.start, end: word.end })
  }
  return named.toSorted((a, b) => a.start - b.start)
}

/** Currencies and languages: closed vocabularies of everyday names. From and to go by their prepositions, then in order. */
export function fillNamed(filling: Filling): void {
  const { reading, leaves } = filling
  for (const role of ['currency', 'language', 'unit'] as const) {
    const wanted = leaves.filter(
      (leaf) =>
        leaf.role === role &&
        leaf.slot.type === 'string' &&
        leaf.slot.choices === null &&
        leaf.slot.pattern === null &&
        !filling.has(leaf) &&
        (role !== 'unit' || leaf.required),
    )
    const found = wanted.length === 0 ? [] : vocabulary(role)(reading)
    const offers = wanted.flatMap((leaf, row) =>
      found.map((named) => ({
        row,
        value: named.value,
        start: named.start,
        end: named.end,
        score: directionScore(reading, leaf, named),
      })),
    )
    for (const [row, offer] of assign(
      offers,
      () => -2,
      () => true,
    )) {
      const leaf = wanted[row]
      if (leaf === undefined) continue
      filling.take(leaf, offer.value, { start: offer.start, end: offer.end })
    }
  }
}

function vocabulary(role: 'currency' | 'language' | 'unit'): (reading: Reading) => Named[] {
  return { currency: currenciesIn, language: languagesIn, unit: unitsIn }[role]
}
