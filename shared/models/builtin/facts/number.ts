import type { NumberFact } from './fact.ts'
import { unitAfter, unitNamed } from './unit.ts'

const SMALL: Readonly<Record<string, number>> = Object.fromEntries(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'
    .split(' ')
    .map((word, value) => [word, value]),
)
const TENS: Readonly<Record<string, number>> = Object.fromEntries(
  'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').map((word, i) => [word, (i + 2) * 10]),
)
const SCALE: Readonly<Record<string, number>> = {
  hundred: 100,
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
}
const LETTER_SCALE: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, M: 1e6, bn: 1e9, B: 1e9 }

/** `$`, `US$`, `EUR` and the like; the words are read after the number. */
const SIGNS: Readonly<Record<string, string>> = {
  $: 'USD',
  US$: 'USD',
  '€': 'EUR',
  '£': 'GBP',
  '¥': 'JPY',
  '₹': 'INR',
  '₩': 'KRW',
  '₽': 'RUB',
  A$: 'AUD',
  C$: 'CAD',
}

const DIGITS =
  /(?<sign>US\$|A\$|C\$|[$€£¥₹₩₽])?\s?(?<![\p{L}\p{N}_.])(?<minus>[-−](?=[\d.]))?(?<body>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?<exponent>e[+-]?\d{1,3}(?![\p{L}\d])|\s?[x×*]\s?10\^?[-−]?\d{1,3}(?!\d))?/giu

const WORD_NUMBER = new RegExp(
  `\\b(?:(?:${[...Object.keys(TENS), ...Object.keys(SMALL), ...Object.keys(SCALE)].join('|')})(?:[\\s-]+(?:and\\s+)?|\\b))+`,
  'gi',
)

/** Numbers in digits, with sign, separators, exponent, scale, unit or currency; and in words up to trillions. */
export function readNumbers(text: string): NumberFact[] {
  const facts: NumberFact[] = []
  for (const match of text.matchAll(DIGITS)) facts.push(inDigits(text, match))
  for (const match of text.matchAll(WORD_NUMBER)) {
    const fact = inWords(text, match[0].trimEnd().replace(/[-\s]+(?:and)?$/, ''), match.index)
    if (fact !== null) facts.push(fact)
  }
  for (const match of text.matchAll(ONE_UNIT)) {
    const unit = unitNamed((match[1] ?? '').toLowerCase())
    const start = match.index
    const end = start + match[0].length
    if (unit === null || facts.some((fact) => fact.end > start && fact.start < end)) continue
    facts.push({
      kind: 'number',
      start,
      end,
      text: match[0],
      value: 1,
      unit,
      currency: null,
      part: 'span',
      label: null,
      extent: end,
    })
  }
  return facts.toSorted((a, b) => a.start - b.start)
}

/** `for a week`, `the next month`, `every hour`: one of them, where a length of time is wanted. */
const ONE_UNIT =
  /\b(?:for an?|in an?|over an?|the next|next|the last|last|past|every|each|within an?|upcoming|coming|this)\s+(hour|day|week|month|year|minute|night)\b(?!s)/gi

function inDigits(text: string, match: RegExpExecArray): NumberFact {
  const groups = match.groups ?? {}
  const sign = groups['sign']
  const lead = /^\s+/.exec(match[0])?.[0].length ?? 0
  const start = match.index + lead
  let end = match.index + match[0].length
  let value = Number((groups['body'] ?? '').replaceAll(',', ''))
  const exponent = groups['exponent']
  if (exponent !== undefined)
    value *= 10 ** Number((/[-−+]?\d+$/.exec(exponent.replace(/10(?=\^?[-−]?\d)/, ''))?.[0] ?? '0').replace('−', '-'))
  const minus = groups['minus'] !== undefined
  if (minus) value = -value
  const rest = text.slice(end)
  const scale =
    /^\s?(hundred|thousand|million|billion|trillion)\b/i.exec(rest) ?? /^(k|K|M|bn|B)(?![\p{L}\p{N}])/u.exec(rest)
  // 300K is a temperature where temperatures are spoken of, otherwise three hundred thousand.
  const kelvin = scale?.[1] === 'K' && /temperature|kelvin|thermal|heat/i.test(text)
  if (scale !== null && !kelvin) {
    const word = scale[1] ?? ''
    value *= SCALE[word.toLowerCase()] ?? LETTER_SCALE[word] ?? 1
    end += scale[0].length
  }
  const measured = unitAfter(text.slice(end))
  const money = currencyAfter(text.slice(end))
  const currency = sign === undefined ? (money?.code ?? null) : (SIGNS[sign.toUpperCase()] ?? null)
  return {
    kind: 'number',
    start,
    end,
    text: text.slice(start, end),
    // 50 * 1e-3 is not 0.05 in binary; what a person wrote has few digits.
    value: Number(value.toPrecision(15)),
    unit: currency === null ? (measured?.unit ?? null) : null,
    currency,
    part: partOf(text, start, end, measured !== null),
    label: labelBefore(text, start),
    extent: end + Math.max(measured?.length ?? 0, money?.length ?? 0),
  }
}

function partOf(text: string, start: number, end: number, measured: boolean): NumberFact['part'] {
  const before = text.slice(Math.max(0, start - 2), start)
  const after = text.slice(end, end + 2)
  if (/[\p{L}]-$|#$/u.test(before) && !/\b[a-z]=?-$/.test(before)) return 'code'
  if (/^\^|^\*\*/.test(after) || /[\^*]$/.test(before)) return 'formula'
  if (/^[a-z](?![a-z])/.test(after) && !measured) return 'formula'
  if (/^(?:st|nd|rd|th)$/i.test(after) && !/^[\p{L}]/u.test(text.slice(end + 2))) return null
  if (/^[\p{L}]/u.test(after) && !measured) return 'code'
  return null
}

/** `a = 2`, `side: 3`, `n=100` */
function labelBefore(text: string, start: number): string | null {
  return (
    /([\p{L}_][\p{L}\p{N}_]{0,30})\s*(?:=|:)\s*$/u
      .exec(text.slice(Math.max(0, start - 40), start))?.[1]
      ?.toLowerCase() ?? null
  )
}

function inWords(text: string, written: string, start: number): NumberFact | null {
  const words = written
    .toLowerCase()
    .split(/[\s-]+/)
    .filter((word) => word !== 'and')
  // `one` alone is more often a pronoun than a number.
  if (words.length === 1 && words[0] === 'one' && !/^\s+[\p{L}]/u.test(text.slice(start + 3))) return null
  // `hundred` or `million` alone belongs to digits before it.
  if (words.length === 1 && SCALE[words[0] ?? ''] !== undefined && /\d\s?$/.test(text.slice(0, start))) return null
  let total = 0
  let current = 0
  for (const word of words) {
    const scale = SCALE[word]
    if (scale === 100) current = (current === 0 ? 1 : current) * 100
    else if (scale !== undefined) {
      total += (current === 0 ? 1 : current) * scale
      current = 0
    } else current += SMALL[word] ?? TENS[word] ?? 0
  }
  const end = start + written.length
  const money = currencyAfter(text.slice(end))
  const measured = unitAfter(text.slice(end))
  const currency = money?.code ?? null
  return {
    kind: 'number',
    start,
    end,
    text: written,
    value: total + current,
    unit: currency === null ? (measured?.unit ?? null) : null,
    currency,
    part: null,
    label: labelBefore(text, start),
    extent: end + Math.max(measured?.length ?? 0, money?.length ?? 0),
  }
}

/** Names of currencies, most specific first. */
const CURRENCIES: readonly (readonly [RegExp, string])[] = [
  [/^(?:us|u\.s\.|american|united states) ?dollars?|^usd\b/i, 'USD'],
  [/^canadian dollars?|^cad\b/i, 'CAD'],
  [/^australian dollars?|^aud\b/i, 'AUD'],
  [/^(?:british |uk )?pounds? sterling|^british pounds?|^gbp\b/i, 'GBP'],
  [/^(?:japanese )?yen\b|^jpy\b/i, 'JPY'],
  [/^euros?\b|^eur\b/i, 'EUR'],
  [/^(?:indian )?rupees?\b|^inr\b/i, 'INR'],
  [/^(?:chinese )?yuan\b|^renminbi\b|^cny\b|^rmb\b/i, 'CNY'],
  [/^swiss francs?|^chf\b/i, 'CHF'],
  [/^(?:mexican )?pesos?\b|^mxn\b/i, 'MXN'],
  [/^(?:korean )?won\b|^krw\b/i, 'KRW'],
  [/^(?:russian )?(?:rubles?|roubles?)\b|^rub\b/i, 'RUB'],
  [/^brazilian reais|^brl\b/i, 'BRL'],
  [/^singapore dollars?|^sgd\b/i, 'SGD'],
  [/^hong kong dollars?|^hkd\b/i, 'HKD'],
  [/^(?:bucks|dollars?)\b/i, 'USD'],
]

export function currencyNamed(text: string): { code: string; length: number } | null {
  for (const [pattern, code] of CURRENCIES) {
    const match = pattern.exec(text)
    if (match !== null) return { code, length: match[0].length }
  }
  return null
}

function currencyAfter(text: string): { code: string; length: number } | null {
  const space = /^\s?/.exec(text)?.[0].length ?? 0
  const found = currencyNamed(text.slice(space, space + 30))
  return found === null ? null : { code: found.code, length: space + found.length }
}
