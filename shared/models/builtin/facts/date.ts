import type { DateFact, TimeFact } from './fact.ts'

/** A day, a month or a year, as said. Month and day count from 1; what was not said is null. */
export interface LocalDate {
  readonly year: number
  readonly month: number | null
  readonly day: number | null
}

export interface LocalTime {
  readonly hour: number
  readonly minute: number
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
export const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')
const MONTH = `(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?`
const DAY = '(\\d{1,2})(?:st|nd|rd|th)?'
const YEAR = '(\\d{4})'
const COUNTED = '(\\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten)'
const COUNT_WORDS = 'zero one two three four five six seven eight nine ten'.split(' ')

type Maker = (match: RegExpExecArray, today: LocalDate) => LocalDate | null

const RULES: readonly (readonly [RegExp, Maker])[] = [
  [/(?<![\d/-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d/-])/g, (m) => day(num(m[1]), num(m[2]), num(m[3]))],
  [/(?<![\d/-])(\d{4})\/(\d{1,2})\/(\d{1,2})(?![\d/-])/g, (m) => day(num(m[1]), num(m[2]), num(m[3]))],
  [/(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?![\d/-])/g, slashed],
  [
    rule(`${MONTH},?\\s*${DAY}(?:\\s*,\\s*|\\s+(?:of\\s+)?|,)${YEAR}\\b`),
    (m) => day(num(m[3]), month(m[1]), num(m[2])),
  ],
  [
    rule(`\\b${DAY}(?:\\s+of)?\\s+${MONTH},?\\s+(?:of\\s+|in\\s+)?${YEAR}\\b`),
    (m) => day(num(m[3]), month(m[2]), num(m[1])),
  ],
  [rule(`\\b${MONTH},?\\s+(?:of\\s+)?${YEAR}\\b`), (m) => ({ year: num(m[2]), month: month(m[1]), day: null })],
  [rule(`\\b${MONTH}\\s+${DAY}(?!\\d|\\s*(?:,|of)?\\s*\\d{4})`), (m, today) => coming(month(m[1]), num(m[2]), today)],
  [
    rule(`\\b${DAY}(?:\\s+of)?\\s+${MONTH}(?!\\s*,?\\s*\\d{4})(?![\\p{L}])`),
    (m, today) => coming(month(m[2]), num(m[1]), today),
  ],
  [
    rule(`(?<=\\b(?:in|during|of|for|by|until|since|this|next|last)\\s)${MONTH}(?![\\p{L}]|\\s+\\d)`),
    (m, today) => comingMonth(month(m[1]), today),
  ],
  [/\bday after tomorrow\b/gi, (_, today) => shift(today, 2)],
  [/\b(?:today|tonight|this (?:morning|afternoon|evening))\b/gi, (_, today) => today],
  [/\btomorrow\b/gi, (_, today) => shift(today, 1)],
  [/\byesterday\b/gi, (_, today) => shift(today, -1)],
  [rule(`\\bin ${COUNTED} (day|week|month|year)s?\\b`), (m, today) => moved(today, count(m[1]), m[2])],
  [rule(`\\b${COUNTED} (day|week|month|year)s? from (?:now|today)\\b`), (m, today) => moved(today, count(m[1]), m[2])],
  [rule(`\\b${COUNTED} (day|week|month|year)s? ago\\b`), (m, today) => moved(today, -count(m[1]), m[2])],
  [/\b(next|last|previous|this|coming|on)\s+(sun|mon|tues|wednes|thurs|fri|satur)day\b/gi, named],
  [
    /\b(next|last|previous) (week|month|year)\b/gi,
    (m, today) => moved(today, /^next$/i.test(m[1] ?? '') ? 1 : -1, m[2]),
  ],
]

function rule(source: string): RegExp {
  return new RegExp(source, 'giu')
}

/** Dates in the common written forms and relative to today. Earlier rules are the more specific: they win a place. */
export function readDates(text: string, today: LocalDate): DateFact[] {
  const facts: DateFact[] = []
  for (const [pattern, make] of RULES) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index
      const end = start + match[0].length
      if (facts.some((fact) => start < fact.end && end > fact.start)) continue
      const date = make(match, today)
      if (date !== null) facts.push({ kind: 'date', start, end, text: match[0], date })
    }
  }
  facts.sort((a, b) => a.start - b.start)
  // `next month (April 2022)`: where a year is written out, words about now only gloss it.
  const dated = facts.filter((fact) => /\d/.test(fact.text))
  return inheritYear(dated.some((fact) => /\d{4}/.test(fact.text)) ? dated : facts)
}

/** `from July 10 to July 20, 2022`: a year said once holds for both ends. */
function inheritYear(facts: DateFact[]): DateFact[] {
  const said = facts.find((fact) => /\d{4}/.test(fact.text))
  if (said === undefined) return facts
  const bare = new RegExp(`^(?:${MONTH}\\s+${DAY}|${DAY}(?:\\s+of)?\\s+${MONTH})$`, 'iu')
  return facts.map((fact) => (bare.test(fact.text) ? { ...fact, date: { ...fact.date, year: said.date.year } } : fact))
}

const TIME =
  /(?<![\d:.])(\d{1,2})(?:[:.](\d{2}))(?::\d{2})?\s?(am|pm|a\.m\.|p\.m\.)?(?![\d:])|(?<![\d:.])(\d{1,2})\s?(am|pm|a\.m\.|p\.m\.)(?![\p{L}])|\b(noon|midnight)\b/giu

export function readTimes(text: string): TimeFact[] {
  const facts: TimeFact[] = []
  for (const match of text.matchAll(TIME)) {
    const half = (match[3] ?? match[5] ?? '').toLowerCase().slice(0, 1)
    // 3.50 is a number unless it says otherwise.
    if (match[2] !== undefined && half === '' && !match[0].includes(':')) continue
    const said = match[6]?.toLowerCase()
    const clock = Number(match[1] ?? match[4] ?? (said === 'noon' ? 12 : 0))
    const hour = said !== undefined || half === '' ? clock : (clock % 12) + (half === 'p' ? 12 : 0)
    const minute = Number(match[2] ?? 0)
    if (hour > 23 || minute > 59) continue
    facts.push({
      kind: 'time',
      start: match.index,
      end: match.index + match[0].length,
      text: match[0].trim(),
      time: { hour, minute },
    })
  }
  return facts
}

const SHAPE = /(?<![\p{L}])(?:y{3,4}|m{1,4}|d{1,2})(?:[-/. ,]+(?:y{3,4}|m{1,4}|d{1,2})){1,2}(?![\p{L}])|%Y-%m-%d/iu
const SPOKEN_SHAPE = /\b(?:month|day|year)([-/.])(?:month|day|year)\1(?:month|day|year)\b/iu

/** The date as the slot wants it: by a pattern in its description (`MM-DD-YYYY`), otherwise ISO 8601. */
export function writeDate(date: LocalDate, description: string): string {
  const spoken = SPOKEN_SHAPE.exec(description)?.[0]
    .replace(/month/i, 'mm')
    .replace(/day/i, 'dd')
    .replace(/year/i, 'yyyy')
  const shape = SHAPE.exec(description)?.[0] ?? spoken ?? 'YYYY-MM-DD'
  const parts: Readonly<Record<string, string>> = {
    y: String(date.year).padStart(4, '0'),
    m: date.month === null ? '' : String(date.month).padStart(2, '0'),
    d: date.day === null ? '' : String(date.day).padStart(2, '0'),
  }
  if (shape.startsWith('%')) return isoOf(parts)
  if (date.day === null && /d/i.test(shape)) return [parts['y'], parts['m']].filter((part) => part !== '').join('-')
  return shape.replace(/y{3,4}|m{1,4}|d{1,2}/giu, (token) => parts[token[0]?.toLowerCase() ?? ''] ?? '')
}

function isoOf(parts: Readonly<Record<string, string>>): string {
  return [parts['y'], parts['m'], parts['d']].filter((part) => part !== '').join('-')
}

export function writeTime(time: LocalTime): string {
  return `${String(time.hour).padStart(2, '0')}:${String(time.minute).padStart(2, '0')}`
}

export function monthName(date: LocalDate): string {
  const name = MONTHS[(date.month ?? 1) - 1] ?? ''
  return name.slice(0, 1).toUpperCase() + name.slice(1)
}

/** Today in the given time zone. */
export function localToday(nowMs: number, timeZone: string): LocalDate {
  const [year, monthPart, dayPart] = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
    .format(nowMs)
    .split('-')
  return { year: Number(year), month: Number(monthPart), day: Number(dayPart) }
}

function num(digits: string | undefined): number {
  return Number(digits ?? 'NaN')
}

function count(said: string | undefined): number {
  const word = (said ?? '').toLowerCase()
  if (word === 'a' || word === 'an') return 1
  const known = COUNT_WORDS.indexOf(word)
  return known >= 0 ? known : Number(word)
}

function month(name: string | undefined): number {
  const start = (name ?? '').slice(0, 3).toLowerCase()
  return MONTHS.findIndex((full) => full.startsWith(start)) + 1
}

function day(year: number, monthOf: number, dayOf: number): LocalDate | null {
  const made = new Date(Date.UTC(year, monthOf - 1, dayOf))
  const real = made.getUTCMonth() === monthOf - 1 && made.getUTCDate() === dayOf
  return real ? { year, month: monthOf, day: dayOf } : null
}

/** 03/10/2023 is read month first as in the United States, unless only the other order is a date; dots are day first. */
function slashed(match: RegExpExecArray): LocalDate | null {
  const [first, second, year] = [num(match[1]), num(match[3]), num(match[4])]
  const monthFirst = match[2] !== '.'
  return monthFirst
    ? (day(year, first, second) ?? day(year, second, first))
    : (day(year, second, first) ?? day(year, first, second))
}

/** A day without a year is the next one to come. */
function coming(monthOf: number, dayOf: number, today: LocalDate): LocalDate | null {
  const passed = monthOf < (today.month ?? 1) || (monthOf === today.month && dayOf < (today.day ?? 1))
  return day(today.year + (passed ? 1 : 0), monthOf, dayOf)
}

function comingMonth(monthOf: number, today: LocalDate): LocalDate {
  return { year: today.year + (monthOf < (today.month ?? 1) ? 1 : 0), month: monthOf, day: null }
}

function shift(date: LocalDate, days: number): LocalDate {
  const made = new Date(Date.UTC(date.year, (date.month ?? 1) - 1, (date.day ?? 1) + days))
  return { year: made.getUTCFullYear(), month: made.getUTCMonth() + 1, day: made.getUTCDate() }
}

function moved(date: LocalDate, steps: number, unit: string | undefined): LocalDate {
  const [year, monthOf] = [date.year, date.month ?? 1]
  switch ((unit ?? 'day').toLowerCase()) {
    case 'week':
      return shift(date, steps * 7)
    case 'month': {
      const index = year * 12 + monthOf - 1 + steps
      const last = new Date(Date.UTC(Math.floor(index / 12), (index % 12) + 1, 0)).getUTCDate()
      return { year: Math.floor(index / 12), month: (index % 12) + 1, day: Math.min(date.day ?? 1, last) }
    }
    case 'year':
      return day(year + steps, monthOf, date.day ?? 1) ?? { year: year + steps, month: monthOf, day: 28 }
    default:
      return shift(date, steps)
  }
}

function named(match: RegExpExecArray, today: LocalDate): LocalDate {
  const wanted = WEEKDAYS.findIndex((name) => name.startsWith((match[2] ?? '').toLowerCase()))
  const current = new Date(Date.UTC(today.year, (today.month ?? 1) - 1, today.day ?? 1)).getUTCDay()
  const ahead = (wanted - current + 7) % 7
  if (/^(?:last|previous)$/i.test(match[1] ?? '')) return shift(today, ahead - 7)
  return shift(today, ahead === 0 && !/^(?:this|on)$/i.test(match[1] ?? '') ? 7 : ahead)
}
