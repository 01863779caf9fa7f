import { readWords } from '#shared/text/words.ts'
import type { Word } from '#shared/text/words.ts'
import { readEmails, readPhones, readUrls } from './contact.ts'
import { readDates, readTimes } from './date.ts'
import type { LocalDate } from './date.ts'
import type { DateFact, NumberFact, TextFact, TimeFact } from './fact.ts'
import { readFormulas } from './formula.ts'
import { readNumbers } from './number.ts'
import { unitNamed } from './unit.ts'
import { readCodes, readNames, readQuoted } from './span.ts'

/** A message, read once: its words and all the facts in it. */
export interface Reading {
  readonly text: string
  readonly words: readonly Word[]
  readonly numbers: readonly NumberFact[]
  readonly dates: readonly DateFact[]
  readonly times: readonly TimeFact[]
  readonly emails: readonly TextFact[]
  readonly urls: readonly TextFact[]
  readonly phones: readonly TextFact[]
  readonly quoted: readonly TextFact[]
  readonly names: readonly TextFact[]
  readonly codes: readonly TextFact[]
  readonly formulas: readonly TextFact[]
}

/** The model never spends more than a few milliseconds on a message, whatever its length. */
export const MAX_TEXT_CHARS = 8_000
/** A person means a handful; what comes after so many is noise, and would be compared with everything. */
const MAX_FACTS = 300

export function readMessage(whole: string, today: LocalDate): Reading {
  const text = whole.slice(0, MAX_TEXT_CHARS)
  const words = readWords(text)
  const dates = readDates(text, today).slice(0, MAX_FACTS)
  const times = readTimes(text).slice(0, MAX_FACTS)
  const emails = readEmails(text).slice(0, MAX_FACTS)
  const urls = readUrls(text).slice(0, MAX_FACTS)
  const phones = readPhones(text)
  const taken = [...emails, ...urls]
  const inside = (fact: { start: number; end: number }, places: readonly { start: number; end: number }[]): boolean =>
    places.some((place) => fact.start < place.end && fact.end > place.start)
  const formulas = readFormulas(text).slice(0, MAX_FACTS)
  const found = readNumbers(text).slice(0, MAX_FACTS)
  const numbers = found
    .filter((fact) => !inside(fact, taken) && !inside(fact, phones))
    // The 2 of m/s^2 is no number of its own.
    .filter((fact) => !found.some((other) => other.end <= fact.start && other.extent > fact.start))
    .map((fact) =>
      inside(fact, dates) && fact.part !== 'span'
        ? { ...fact, part: 'date' as const }
        : inside(fact, times)
          ? { ...fact, part: 'time' as const }
          : inside(fact, formulas)
            ? { ...fact, part: 'formula' as const }
            : fact,
    )
  const quoted = readQuoted(text)
  const codes = readCodes(text).filter(
    (fact) =>
      !inside(fact, taken) &&
      !inside(fact, dates) &&
      !inside(fact, times) &&
      !numbers.some((number) => number.part === null && number.start < fact.start && number.end >= fact.end),
  )
  return {
    text,
    words,
    numbers,
    dates,
    times,
    emails,
    urls,
    phones,
    quoted,
    names: readNames(text, words).filter(
      (fact) =>
        !isUnit(fact.text) &&
        !inside(
          fact,
          codes.filter((code) => /[_\\/.]/.test(code.text) && code.end - code.start > 3),
        ) &&
        !inside(fact, taken) &&
        !inside(fact, quoted) &&
        !dates.some((date) => date.start <= fact.start && date.end >= fact.end),
    ),
    codes,
    formulas,
  }
}

function isUnit(said: string): boolean {
  // Tesla and Newton are people and companies before they are units.
  const unit = said.length > 3 ? unitNamed(said) : null
  return unit !== null && (unit.dimension === 'temperature' || said.endsWith('s'))
}

/** The index of the first word that ends after this place: its position in words. */
export function wordAt(reading: Reading, place: number): number {
  let low = 0
  let high = reading.words.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((reading.words[middle]?.end ?? 0) > place) high = middle
    else low = middle + 1
  }
  return low
}
