import { monthName, writeDate, writeTime } from '../facts/date.ts'
import type { DateFact } from '../facts/fact.ts'
import type { Reading } from '../facts/reading.ts'
import { isRecord } from '../schema.ts'
import type { Slot } from '../schema.ts'
import type { ToolCard } from '../tool-card.ts'
import { currenciesIn, directionScore, languagesIn, unitsIn } from './named-slots.ts'
import type { Named } from './named-slots.ts'
import { assign } from './assign.ts'
import { fillArray } from './array-slot.ts'
import { readFlag } from './boolean-slot.ts'
import { chooseOne } from './choice-slot.ts'
import { cueScore, cueWeights } from './cue-score.ts'
import { leavesOf } from './leaf.ts'
import type { Leaf } from './leaf.ts'
import { fillNumbers } from './number-slots.ts'
import { fillCoefficients } from './polynomial.ts'
import { isProper } from './role.ts'
import { fitsPattern } from './pattern.ts'
import { fillStrings } from './string-slots.ts'

export interface Filled {
  /** Arguments as the schema wants them; only what was said or has a documented default. */
  readonly args: Readonly<Record<string, unknown>>
  readonly missing: readonly Leaf[]
  /** How many leaves were filled from the message itself. */
  readonly said: number
  readonly leaves: readonly Leaf[]
}

/** A list this sure of itself takes its words before the single strings do. */
const STRONG_LIST = 1.4

type Place = { start: number; end: number }

/**
 * Fills a tool's slots from one message, typed recognisers first: the more a type restricts what can be meant, the
 * earlier it takes its words, and what one slot took no other may use.
 */
export function fillSlots(
  card: ToolCard,
  reading: Reading,
  known: Readonly<Record<string, unknown>> = {},
  options: { readonly defaults: boolean } = { defaults: true },
): Filled {
  const leaves = leavesOf(card.slots)
  const values = new Map<Leaf, unknown>()
  const used: Place[] = []
  const open = leaves.filter((leaf) => at(known, leaf.path) === undefined)
  // What the tool is about and what it calls its slots: words that name no value.
  const toolWords = new Set([...card.subject, ...leaves.flatMap((leaf) => leaf.nameCues)])

  fillContacts(reading, open, values, used)
  fillFullNames(reading, open, values, used)
  fillPatterns(reading, open, values, used)
  fillChoices(reading, open, values, used, card, toolWords)
  fillFlags(reading, open, values, card)
  fillFormulas(reading, open, values, used)
  fillDateParts(reading, open, values)
  fillTimes(reading, open, values, used)
  for (const leaf of open) {
    if (leaf.slot.type !== 'array' || values.has(leaf) || !isNumeric(leaf.slot.items)) continue
    const list = fillArray(
      reading,
      leaf,
      used,
      toolWords,
      0,
      open.filter((one) => one.slot.type === 'array').length === 2,
    )
    if (list !== null) values.set(leaf, list)
  }
  for (const [leaf, value] of fillCoefficients(
    reading,
    open.filter((one) => !values.has(one) && isNumeric(one.slot)),
    used,
  ))
    values.set(leaf, value)
  const numeric = open.filter((leaf) => !values.has(leaf) && isNumeric(leaf.slot))
  for (const [leaf, value] of fillNumbers(reading, numeric, used, toolWords)) values.set(leaf, value)
  fillNumberedIds(reading, open, values, used)
  fillNamed(reading, open, values, used)
  const strings = open.filter((leaf) => !values.has(leaf) && isFreeText(leaf))
  const lists = open.filter((leaf) => leaf.slot.type === 'array' && !values.has(leaf))
  for (const leaf of lists) {
    const list = strings.length > 0 ? fillArray(reading, leaf, used, toolWords, STRONG_LIST) : null
    if (list !== null) values.set(leaf, list)
  }
  for (const [leaf, value] of fillStrings(reading, strings, used, toolWords)) values.set(leaf, value)
  for (const leaf of lists) {
    if (values.has(leaf)) continue
    const list = fillArray(reading, leaf, used, toolWords)
    if (list !== null) values.set(leaf, list)
  }
  fillFreeObjects(reading, open, values)

  const said = values.size
  for (const leaf of open) {
    if (options.defaults && !values.has(leaf) && leaf.required && leaf.slot.fallback !== undefined)
      values.set(leaf, leaf.slot.fallback)
  }
  const args = build(known, values)
  const missing = leaves.filter((leaf) => leaf.required && at(args, leaf.path) === undefined)
  return { args, missing, said, leaves }
}

function isNumeric(slot: Slot | null): boolean {
  return slot?.type === 'integer' || slot?.type === 'number'
}

function isFreeText(leaf: Leaf): boolean {
  if (leaf.slot.choices !== null || leaf.slot.pattern !== null) return false
  if (leaf.slot.type !== 'string' && leaf.slot.type !== 'any') return false
  return (
    !['email', 'url', 'phone', 'currency', 'language'].includes(leaf.role) && !(leaf.role === 'unit' && leaf.required)
  )
}

function fillContacts(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const kinds = { email: reading.emails, url: reading.urls, phone: reading.phones } as const
  for (const kind of ['email', 'url', 'phone'] as const) {
    const queue = [...kinds[kind]]
    for (const leaf of leaves) {
      if (leaf.slot.type !== 'string' || leaf.role !== kind || leaf.slot.choices !== null) continue
      const fact = queue.shift()
      if (fact === undefined) break
      values.set(leaf, fact.text)
      used.push(fact)
    }
  }
}

/** Currencies and languages: closed vocabularies of everyday names. From and to go by their prepositions, then in order. */
function fillNamed(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  for (const role of ['currency', 'language', 'unit'] as const) {
    const wanted = leaves.filter(
      (leaf) =>
        leaf.role === role &&
        leaf.slot.type === 'string' &&
        leaf.slot.choices === null &&
        leaf.slot.pattern === null &&
        !values.has(leaf) &&
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
      values.set(leaf, offer.value)
      used.push({ start: offer.start, end: offer.end })
    }
  }
}

function vocabulary(role: 'currency' | 'language' | 'unit'): (reading: Reading) => Named[] {
  return { currency: currenciesIn, language: languagesIn, unit: unitsIn }[role]
}

function fillFormulas(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const left = [...reading.formulas]
  for (const leaf of leaves) {
    if (leaf.role !== 'formula' || leaf.slot.type !== 'string' || values.has(leaf)) continue
    const fact = left.shift()
    if (fact === undefined) return
    values.set(leaf, fact.text)
    used.push(fact)
  }
}

/** A date said once fills slots for its day, its month and its year. */
function fillDateParts(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>): void {
  const fact = reading.dates[0]
  const parts = leaves.filter(
    (leaf) =>
      !values.has(leaf) &&
      leaf.slot.choices === null &&
      /^(?:day|month|year)$/.test(leaf.nameWords.at(-1) ?? '') &&
      leaf.nameWords.length === 1,
  )
  if (fact === undefined || parts.length < 2) return
  for (const leaf of parts) {
    const value = fact.date[leaf.nameWords[0] as 'day' | 'month' | 'year']
    if (value === null || (leaf.slot.name === 'year' && !/\d{4}/.test(fact.text))) continue
    if (leaf.slot.type === 'integer' || leaf.slot.type === 'number') values.set(leaf, value)
    else if (leaf.slot.type === 'string')
      values.set(leaf, leaf.slot.name === 'month' ? monthName(fact.date) : String(value))
  }
}

/** `Maria Lopez` for a slot that wants the first name and one that wants the last. */
function fillFullNames(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const named = (which: RegExp): Leaf | undefined =>
    leaves.find((leaf) => leaf.slot.type === 'string' && which.test(leaf.nameWords.join(' ')))
  const [first, last] = [named(/^(?:first|given) name$/), named(/^(?:last|family|sur) ?name$|^surname$/)]
  const whole = reading.names.find(
    (name) => name.parts === undefined && /^\p{Lu}[\p{L}.'’-]*(?:\s+[\p{L}.'’-]+){1,3}$/u.test(name.text),
  )
  if (first === undefined || last === undefined || whole === undefined) return
  const [given = '', ...family] = whole.text.split(/\s+/)
  values.set(first, given)
  values.set(last, family.join(' '))
  used.push(whole)
}

/** Ids with a pattern: any token of the message that fits it whole, nearest to the slot's cue. */
function fillPatterns(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const weights = cueWeights(leaves)
  for (const leaf of leaves) {
    const { pattern } = leaf.slot
    if (pattern === null || leaf.slot.type !== 'string' || values.has(leaf)) continue
    const fitting = tokensOf(reading)
      .filter((token) => !used.some((place) => place.start < token.end && place.end > token.start))
      .map((token) => ({ ...token, text: fitted(pattern, token.text) }))
      .filter((token): token is Place & { text: string } => token.text !== null)
      .map((token) => ({
        token,
        score: cueScore(reading, leaf, weights, token, []) + (/\d/.test(token.text) ? 0.3 : 0),
      }))
      .toSorted((a, b) => b.score - a.score || a.token.start - b.token.start)
    const best = fitting[0]
    if (best === undefined) continue
    values.set(leaf, best.token.text)
    used.push(best.token)
  }
}

/** As written, without a leading `#`, or in the other case: people type `ord-1042` for `ORD-1042`. */
function fitted(pattern: string, said: string): string | null {
  for (const form of [said, said.replace(/^#/, ''), said.toUpperCase(), said.toLowerCase()]) {
    if (fitsPattern(pattern, form) === true) return form
  }
  return null
}

function tokensOf(reading: Reading): (Place & { text: string })[] {
  const tokens = [...reading.text.matchAll(/[^\s,;:!?"'()]+/g)].map((match) => {
    const text = match[0].replace(/\.+$/, '')
    return { start: match.index, end: match.index + text.length, text }
  })
  return [...tokens, ...reading.quoted, ...reading.codes]
}

function fillChoices(
  reading: Reading,
  leaves: readonly Leaf[],
  values: Map<Leaf, unknown>,
  used: Place[],
  card: ToolCard,
  toolWords: ReadonlySet<string>,
): void {
  for (const leaf of leaves) {
    const { slot } = leaf
    if (values.has(leaf) || slot.type === 'array' || slot.type === 'boolean') continue
    if (slot.choices === null && slot.type !== 'string') continue
    // Places and people named in a description are examples, not choices.
    if (slot.choices === null && isProper(leaf.role)) continue
    const hit = chooseOne(reading, leaf, used, toolWords)
    if (hit === null) continue
    // A value the tool's own description names is said in passing; an optional slot is not filled by it.
    const words = String(hit.value).toLowerCase()
    if (!leaf.required && slot.choices === null && card.tool.description.toLowerCase().includes(words)) continue
    if (!leaf.required && hit.certainty < 0.9) continue
    if (slot.hints.length === 1 && (hit.certainty < 1 || hit.value === slot.fallback)) continue
    values.set(leaf, hit.value)
    used.push(hit)
  }
}

function fillFlags(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, card: ToolCard): void {
  const head = new Set(card.head)
  for (const leaf of leaves) {
    if (leaf.slot.type !== 'boolean' || leaf.slot.choices !== null) continue
    const flag = readFlag(reading, leaf, head)
    if (flag !== null) values.set(leaf, flag)
  }
}

function fillTimes(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const weights = cueWeights(leaves)
  const dates = leaves.filter(
    (leaf) => !values.has(leaf) && leaf.slot.type === 'string' && leaf.role === 'date' && leaf.slot.choices === null,
  )
  const left = [...reading.dates]
  for (const leaf of dates) {
    const scored = left
      .map((fact) => ({ fact, score: cueScore(reading, leaf, weights, fact, left) + rangeScore(reading, leaf, fact) }))
      .toSorted((a, b) => b.score - a.score || a.fact.start - b.fact.start)
    const best = scored[0]
    if (best === undefined) break
    values.set(leaf, dateFor(leaf, best.fact))
    used.push(best.fact)
    left.splice(left.indexOf(best.fact), 1)
  }
  const times = leaves.filter(
    (leaf) => !values.has(leaf) && leaf.slot.type === 'string' && leaf.role === 'time' && leaf.slot.choices === null,
  )
  const clock = [...reading.times]
  for (const leaf of times) {
    const fact = clock.shift()
    if (fact === undefined) break
    const normal = leaf.slot.format === 'time' || /24|HH|hh:mm/.test(leaf.slot.description)
    values.set(leaf, normal ? writeTime(fact.time) : fact.text)
    used.push(fact)
  }
}

function dateFor(leaf: Leaf, fact: DateFact): string {
  if (
    leaf.nameWords.includes('month') ||
    (fact.date.day === null &&
      /\bmonth\b/i.test(leaf.slot.description) &&
      !/\b[my]{2,4}\b/i.test(leaf.slot.description))
  )
    return monthName(fact.date)
  return writeDate(fact.date, leaf.slot.description)
}

/** `from … to …`: the first end for start-like slots, the second for end-like ones. */
function rangeScore(reading: Reading, leaf: Leaf, fact: DateFact): number {
  const before = reading.text.slice(Math.max(0, fact.start - 14), fact.start).toLowerCase()
  const ending = /\b(?:to|until|till|through|and|-|–)\s*$/.test(before)
  const endLike = leaf.nameWords.some((word) =>
    ['end', 'to', 'until', 'return', 'checkout', 'out', 'due', 'finish', 'last'].includes(word),
  )
  return ending === endLike ? 0.5 : 0
}

/** A string slot that is an id takes a bare number too, and a string slot for a year takes the year. */
function fillNumberedIds(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>, used: Place[]): void {
  const weights = cueWeights(leaves)
  for (const leaf of leaves) {
    if (values.has(leaf) || leaf.slot.type !== 'string' || leaf.slot.pattern !== null || leaf.slot.choices !== null)
      continue
    const yearly = leaf.nameWords.includes('year') || leaf.nameWords.includes('season')
    const idLike = leaf.role === 'id' || leaf.nameWords.includes('number')
    if (!idLike && !yearly) continue
    const offers = reading.numbers
      .filter(
        (fact) =>
          fact.unit === null &&
          fact.currency === null &&
          !used.some((place) => place.start < fact.end && place.end > fact.start),
      )
      .filter((fact) => !yearly || (fact.value >= 1000 && fact.value <= 2200))
      .filter((fact) => yearly || fact.part !== 'date')
      .map((fact) => ({ fact, score: cueScore(reading, leaf, weights, fact, []) }))
      .toSorted((a, b) => b.score - a.score || a.fact.start - b.fact.start)
    const best = offers[0]
    if (best === undefined || (best.score < 0.3 && !leaf.required)) continue
    const code = reading.codes.find((fact) => fact.start <= best.fact.start && fact.end >= best.fact.end)
    values.set(leaf, code === undefined ? best.fact.text : code.text.replace(/^#/, ''))
    used.push(code ?? best.fact)
  }
}

const PAIR =
  /(?:'([^'\n]{1,40})'|"([^"\n]{1,40})"|(?<![\p{L}\p{N}])([\p{L}_][\p{L}\p{N}_]{0,40}))\s*[:=]\s*(?:'([^'\n]{1,200})'|"([^"\n]{1,200})"|([^\s,;'"{}:=]{1,200})(?=[\s,;}]|$))/gu

/** An object without declared fields takes the `key: value` pairs of the message. */
function fillFreeObjects(reading: Reading, leaves: readonly Leaf[], values: Map<Leaf, unknown>): void {
  for (const leaf of leaves) {
    if (leaf.slot.type !== 'object' || values.has(leaf)) continue
    const pairs = [...reading.text.matchAll(PAIR)].map((match): [string, unknown] => {
      const [, single, double, word, quoted, alsoQuoted, bare] = match
      const value =
        bare !== undefined && /^-?\d+(?:\.\d+)?$/.test(bare) ? Number(bare) : (quoted ?? alsoQuoted ?? bare ?? '')
      return [single ?? double ?? word ?? '', value]
    })
    if (pairs.length > 0) values.set(leaf, Object.fromEntries(pairs))
  }
}

export function at(source: unknown, path: readonly string[]): unknown {
  let here: unknown = source
  for (const part of path) here = isRecord(here) && Object.hasOwn(here, part) ? here[part] : undefined
  return here
}

export function withValue(
  source: Readonly<Record<string, unknown>>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const copy = structuredClone(source) as Record<string, unknown>
  setAt(copy, path, value)
  return copy
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let here = target
  for (const part of path.slice(0, -1)) {
    const inner = Object.hasOwn(here, part) ? here[part] : undefined
    const next = isRecord(inner) ? (inner as Record<string, unknown>) : {}
    here[part] = next
    here = next
  }
  const last = path.at(-1)
  if (last !== undefined) here[last] = value
}

function build(known: Readonly<Record<string, unknown>>, values: ReadonlyMap<Leaf, unknown>): Record<string, unknown> {
  const args = structuredClone(known) as Record<string, unknown>
  for (const [leaf, value] of values) setAt(args, leaf.path, value)
  return args
}
