import { readPhrases } from '../facts/span.ts'
import type { Reading } from '../facts/reading.ts'
import { GENERIC } from '#shared/text/words.ts'
import { chooseAll } from './choice-slot.ts'
import { isNumeric } from '../schema.ts'
import type { Filling } from './filling.ts'
import type { Leaf } from './leaf.ts'
import type { Place } from './spans.ts'
import { isFreeText } from './string-slots.ts'

const MAX_ITEMS = 100
const BRACKETS = /[[(]\s*([^[\]()]{1,2000}?)\s*[\])]/g
const NESTED = /\[\s*(?:\[[^[\]]{0,500}\]\s*,?\s*){1,50}\]/g
const NUMBER = /[-−]?\d+(?:,\d{3}(?!\d))*(?:\.\d+)?(?:e[+-]?\d+)?/gi

/** A list this sure of itself takes its words before the single strings do. */
const STRONG_LIST = 1.4

/** Lists of numbers, before the single numbers are given out. */
export function fillNumericLists(filling: Filling): void {
  const pair = filling.leaves.filter((leaf) => leaf.slot.type === 'array').length === 2
  fillLists(filling, (leaf) => isNumeric(leaf.slot.items), 0, pair)
}

/** Lists that are plainly lists, where single strings are waiting for the same words. */
export function fillStrongLists(filling: Filling): void {
  if (filling.open(isFreeText).length > 0) fillLists(filling, () => true, STRONG_LIST, false)
}

/** What lists are left: what the single strings did not take. */
export function fillOtherLists(filling: Filling): void {
  fillLists(filling, () => true, 0, false)
}

function fillLists(filling: Filling, wanted: (leaf: Leaf) => boolean, least: number, pair: boolean): void {
  for (const leaf of filling.open((one) => one.slot.type === 'array' && wanted(one))) {
    const list = fillArray(filling.reading, leaf, filling.used, filling.toolWords, least, pair)
    if (list !== null) filling.take(leaf, list)
  }
}

/** Lists: in brackets, or enumerated with commas and an `and`. */
function fillArray(
  reading: Reading,
  leaf: Leaf,
  used: Place[],
  toolWords: ReadonlySet<string>,
  least = 0,
  pair = false,
): unknown[] | null {
  const item = leaf.slot.items
  const contact =
    item?.format === 'email' || leaf.role === 'email' || /e-?mail address/i.test(leaf.slot.description)
      ? reading.emails
      : leaf.role === 'url'
        ? reading.urls
        : leaf.role === 'phone'
          ? reading.phones
          : []
  const reach = contact.filter((fact) => free(fact, used))
  if (reach.length > 0) {
    used.push(...reach)
    return reach.map((fact) => fact.text)
  }
  const hints = (item?.hints.length ?? 0) > 1 ? item?.hints : leaf.slot.hints
  const choices = item?.choices ?? hints ?? []
  if (choices.length > 1 || (item?.choices ?? null) !== null) {
    const chosen = chooseAll(reading, choices, item?.choices !== null && item?.choices !== undefined, toolWords)
    if (chosen.length > 0) {
      used.push(...chosen)
      return chosen.toSorted((a, b) => a.start - b.start).map((hit) => hit.value)
    }
    if (item?.choices !== null && item?.choices !== undefined) return null
  }
  switch (item?.type) {
    case 'integer':
    case 'number':
      return numberList(reading, leaf, used, pair)
    case 'array':
      return nestedList(reading, used)
    case 'boolean':
    case 'object':
      return null
    case 'string':
    case 'any':
    case undefined:
      return bracketed(reading, used) ?? stringList(reading, leaf, used, toolWords, least)
  }
}

function numberList(reading: Reading, leaf: Leaf, used: Place[], pair: boolean): number[] | null {
  const runs = [
    ...bracketRuns(reading),
    ...listedRuns(reading).flatMap((run) => (pair ? halves(reading, run) : [run])),
  ].filter((run) => free(run, used))
  const best = nearestToCue(reading, leaf, runs)
  if (best === null) return null
  used.push({ start: best.start, end: best.end })
  return best.values
}

interface Run extends Place {
  readonly values: number[]
}

function bracketRuns(reading: Reading): Run[] {
  const runs: Run[] = []
  for (const match of reading.text.matchAll(BRACKETS)) {
    const inner = match[1] ?? ''
    const values = [...inner.matchAll(NUMBER)].map((number) => Number(number[0].replaceAll(',', '').replace('−', '-')))
    const rest = inner.replace(NUMBER, '').replace(/[\s,;]|and/g, '')
    if (values.length > 0 && rest === '')
      runs.push({ start: match.index, end: match.index + match[0].length, values: values.slice(0, MAX_ITEMS) })
  }
  return runs
}

/** `12, 15, 18 and 20`: numbers with nothing between them but commas, `and`, and the same unit. */
function listedRuns(reading: Reading): Run[] {
  const runs: Run[] = []
  let open: { start: number; end: number; values: number[] } | null = null
  for (const fact of reading.numbers) {
    if (fact.part !== null && fact.part !== 'code') continue
    const gap = open === null ? '' : reading.text.slice(open.end, fact.start)
    if (
      open !== null &&
      /^\s*(?:[\p{L}%°]{0,12}\s*)?(?:,\s*(?:and\s+)?|\s+and\s+|;\s*|\s+to\s+|\s+vs\.?\s+)$/u.test(gap)
    ) {
      open.values.push(fact.value)
      open.end = fact.end
    } else {
      open = { start: fact.start, end: fact.end, values: [fact.value] }
      runs.push(open)
    }
  }
  return runs
    .filter((run) => run.values.length > 1 || reading.numbers.length === 1)
    .map((run) => ({ ...run, values: run.values.slice(0, MAX_ITEMS) }))
}

/** `1, 2, 3 and 2, 4, 6` are two lists where two are wanted: an `and` without a comma in the middle parts them. */
function halves(reading: Reading, run: Run): Run[] {
  const text = reading.text.slice(run.start, run.end)
  const joint = /\d\s+and\s+(?=[-−]?\d+(?:\.\d+)?\s*,)/u.exec(text)
  if (joint === null) return [run]
  const at = run.start + joint.index + 1
  const inside = (from: number, to: number): number[] =>
    reading.numbers.filter((fact) => fact.start >= from && fact.end <= to).map((fact) => fact.value)
  const [first, second] = [inside(run.start, at), inside(at, run.end)]
  if (first.length < 2 || second.length < 2) return [run]
  return [
    { start: run.start, end: at, values: first },
    { start: run.start + joint.index + joint[0].length, end: run.end, values: second },
  ]
}

function nearestToCue(reading: Reading, leaf: Leaf, runs: readonly Run[]): Run | null {
  let best: Run | null = null
  let bestScore = Number.NEGATIVE_INFINITY
  for (const run of runs) {
    const before = reading.words.filter((word) => word.end <= run.start).slice(-6)
    let score = -run.start / 100_000
    for (const [i, word] of before.entries()) {
      if (leaf.nameCues.includes(word.stem)) score += 1 / (before.length - i)
      else if (leaf.descriptionCues.includes(word.stem)) score += 0.4 / (before.length - i)
    }
    if (score > bestScore) {
      best = run
      bestScore = score
    }
  }
  return best
}

function nestedList(reading: Reading, used: Place[]): unknown[] | null {
  for (const match of reading.text.matchAll(NESTED)) {
    const place = { start: match.index, end: match.index + match[0].length }
    if (!free(place, used)) continue
    try {
      const parsed: unknown = JSON.parse(match[0].replaceAll("'", '"'))
      if (Array.isArray(parsed)) {
        used.push(place)
        return parsed
      }
    } catch {
      continue
    }
  }
  return null
}

function bracketed(reading: Reading, used: Place[]): string[] | null {
  for (const match of reading.text.matchAll(/\[\s*([^[\]]{1,1000}?)\s*\]/g)) {
    const place = { start: match.index, end: match.index + match[0].length }
    if (!free(place, used)) continue
    used.push(place)
    return splitList(match[1] ?? '')
  }
  return null
}

const JOIN =
  /^\s*(?:,\s*(?:and|or)?\s*|;\s*|\s(?:and|or|&)\s|\s*\/\s*)(?:the\s+|an?\s+|\d+\s+|(?:two|three|four|five|six|ten)\s+)?$/

/** `eggs, milk and bread`; a single name or phrase beside a cue is a list of one. */
function stringList(
  reading: Reading,
  leaf: Leaf,
  used: Place[],
  toolWords: ReadonlySet<string>,
  least: number,
): string[] | null {
  const named = [...reading.quoted, ...reading.names.filter((name) => name.parts === undefined)]
  const phrases = readPhrases(
    reading.text,
    reading.words,
    (word) => !GENERIC.has(word.stem) && !leaf.nameCues.includes(word.stem),
  )
  const spans = [...named, ...phrases.filter((phrase) => free(phrase, named))]
    .filter((span) => free(span, used))
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
    .filter((span, i, all) => !all.slice(0, i).some((other) => other.start <= span.start && other.end >= span.end))
  const runs: (typeof spans)[] = []
  for (const span of spans) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const alike = (last?.kind === 'quoted') === (span.kind === 'quoted')
    if (
      run !== undefined &&
      last !== undefined &&
      alike &&
      JOIN.test(reading.text.slice(last.end, span.start).replace(/^['"”’`]|['"“‘`]$/g, ''))
    )
      run.push(span)
    else runs.push([span])
  }
  const listed = runs.filter((run) => run.length > 1)
  const scored = (listed.length > 0 ? listed : leaf.required ? runs : []).map((run) => ({
    run,
    score: scoreRun(reading, leaf, run, toolWords),
  }))
  const best = scored.toSorted((a, b) => b.score - a.score)[0]
  if (best === undefined || best.score < Math.max(least, leaf.required ? 0.2 : 1.2)) return null
  for (const span of best.run) used.push({ start: span.start, end: span.end })
  return best.run.slice(0, MAX_ITEMS).map((span) => span.text)
}

function scoreRun(
  reading: Reading,
  leaf: Leaf,
  run: readonly { start: number; end: number; kind: string }[],
  toolWords: ReadonlySet<string>,
): number {
  const [start, end] = [run[0]?.start ?? 0, run.at(-1)?.end ?? 0]
  const inner = reading.words.filter((word) => word.start >= start && word.end <= end && !word.stop)
  const novel = inner.filter((word) => !toolWords.has(word.stem)).length / Math.max(1, inner.length)
  const before = reading.words.filter((word) => word.end <= start).slice(-5)
  const after = reading.words.filter((word) => word.start >= end).slice(0, 3)
  let cue = 0
  for (const [i, word] of before.toReversed().entries()) {
    if (leaf.nameCues.includes(word.stem)) cue = Math.max(cue, 1 / (1 + 0.3 * i))
    else if (leaf.descriptionCues.includes(word.stem)) cue = Math.max(cue, 0.4 / (1 + 0.3 * i))
  }
  for (const [i, word] of after.entries())
    if (leaf.nameCues.includes(word.stem)) cue = Math.max(cue, 0.8 / (1 + 0.5 * i))
  return novel * 0.6 + cue + (run.length > 1 ? 0.4 : 0) + (run.some((span) => span.kind !== 'phrase') ? 0.3 : 0)
}

export function splitList(text: string): string[] {
  return text
    .split(/\s*(?:,\s*(?:and|or)\s+|,|;|\s(?:and|or|&)\s)\s*/)
    .map((part) => part.trim().replace(/^['"“‘`]|['"”’`]$/g, ''))
    .filter((part) => part !== '')
    .slice(0, MAX_ITEMS)
}

function free(place: Place, used: readonly Place[]): boolean {
  return !used.some((other) => other.start < place.end && other.end > place.start)
}
