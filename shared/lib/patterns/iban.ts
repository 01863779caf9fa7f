import { isWordChar } from './span.ts'
import type { Recogniser, Span } from './span.ts'

/** International bank account numbers (ISO 13616): the length of the country and the check of ISO 7064 (mod 97-10). */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  `
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20
    EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30
    KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23
    PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26
    UA29 VA22 VG24 XK20 YE30
  `
    .trim()
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const HEAD = /[A-Z]{2}\d{2}/gi
const LONGEST = 33
/** What may be the beginning of one, up to the end of the text. */
const OPEN = /[A-Z](?:[A-Z](?:\d(?:\d(?:[ -]?[A-Z0-9]){0,29}[ -]?)?)?)?$/i

export const iban: Recogniser = {
  entity: 'iban',
  reads: 'plain',

  find(text, from = 0) {
    const found: Span[] = []
    HEAD.lastIndex = from
    for (let head = HEAD.exec(text); head !== null; head = HEAD.exec(text)) {
      const end = isWordChar(text, head.index - 1) ? -1 : endOfIban(text, head.index)
      if (end < 0) {
        // The next one may begin inside this head only if this one does not begin a word.
        HEAD.lastIndex = head.index + 1
        continue
      }
      found.push({ start: head.index, end, entity: 'iban' })
      HEAD.lastIndex = end
    }
    return found
  },

  open(text) {
    for (let at = Math.max(0, text.length - LONGEST * 2); at < text.length; at++) {
      if (isWordChar(text, at - 1) || !isWordChar(text, at)) continue
      const country = text.slice(at, at + 2).toUpperCase()
      const known = country.length < 2 ? /^[A-Z]$/.test(country) : LENGTHS.has(country)
      if (known && OPEN.exec(text.slice(at))?.index === 0) return at
    }
    return text.length
  },
}

function endOfIban(text: string, start: number): number {
  const length = LENGTHS.get(text.slice(start, start + 2).toUpperCase())
  if (length === undefined) return -1
  let compact = ''
  let at = start
  while (compact.length < length) {
    if (compact.length > 0 && (text[at] === ' ' || text[at] === '-')) at += 1
    if (at >= text.length || !/[A-Za-z0-9]/.test(text[at]!)) return -1
    compact += text[at]
    at += 1
  }
  return !isWordChar(text, at) && mod97(compact.toUpperCase()) === 1 ? at : -1
}

function mod97(iban: string): number {
  let rest = 0
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}
