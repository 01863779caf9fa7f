import { monthName, writeDate, writeTime } from '../facts/date.ts'
import type { DateFact } from '../facts/fact.ts'
import type { Reading } from '../facts/reading.ts'
import { cueScore, cueWeights } from './cue-score.ts'
import type { Filling } from './filling.ts'
import type { Leaf } from './leaf.ts'

/** A date said once fills slots for its day, its month and its year. */
export function fillDateParts(filling: Filling): void {
  const { reading, leaves } = filling
  const fact = reading.dates[0]
  const parts = leaves.filter(
    (leaf) =>
      !filling.has(leaf) &&
      leaf.slot.choices === null &&
      /^(?:day|month|year)$/.test(leaf.nameWords.at(-1) ?? '') &&
      leaf.nameWords.length === 1,
  )
  if (fact === undefined || parts.length < 2) return
  for (const leaf of parts) {
    const value = fact.date[leaf.nameWords[0] as 'day' | 'month' | 'year']
    if (value === null || (leaf.slot.name === 'year' && !/\d{4}/.test(fact.text))) continue
    if (leaf.slot.type === 'integer' || leaf.slot.type === 'number') filling.take(leaf, value)
    else if (leaf.slot.type === 'string')
      filling.take(leaf, leaf.slot.name === 'month' ? monthName(fact.date) : String(value))
  }
}

/** Dates by their cues and their end of a range, times in the order they are given. */
export function fillTimes(filling: Filling): void {
  const { reading, leaves } = filling
  const weights = cueWeights(leaves)
  const dates = leaves.filter(
    (leaf) => !filling.has(leaf) && leaf.slot.type === 'string' && leaf.role === 'date' && leaf.slot.choices === null,
  )
  const left = [...reading.dates]
  for (const leaf of dates) {
    const scored = left
      .map((fact) => ({ fact, score: cueScore(reading, leaf, weights, fact, left) + rangeScore(reading, leaf, fact) }))
      .toSorted((a, b) => b.score - a.score || a.fact.start - b.fact.start)
    const best = scored[0]
    if (best === undefined) break
    filling.take(leaf, dateFor(leaf, best.fact), best.fact)
    left.splice(left.indexOf(best.fact), 1)
  }
  const times = leaves.filter(
    (leaf) => !filling.has(leaf) && leaf.slot.type === 'string' && leaf.role === 'time' && leaf.slot.choices === null,
  )
  const clock = [...reading.times]
  for (const leaf of times) {
    const fact = clock.shift()
    if (fact === undefined) break
    const normal = leaf.slot.format === 'time' || /24|HH|hh:mm/.test(leaf.slot.description)
    filling.take(leaf, normal ? writeTime(fact.time) : fact.text, fact)
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
