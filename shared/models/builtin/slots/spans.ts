import type { TextFact } from '../facts/fact.ts'
import type { Reading } from '../facts/reading.ts'
import { IMPERATIVES, endsOfName, pairsOfNames, readPhrases } from '../facts/span.ts'
import { unitNamed } from '../facts/unit.ts'
import { synonymsOf } from '#shared/text/synonyms.ts'
import { GENERIC } from '#shared/text/words.ts'
import type { Word } from '#shared/text/words.ts'
import { isCue } from './leaf.ts'
import type { Leaf } from './leaf.ts'
import { isPlace } from './role.ts'

export interface Place {
  readonly start: number
  readonly end: number
}

/** Every span of the message that a free-text slot might mean; which one does is for the scores to say. */
export function spansOf(
  reading: Reading,
  leaves: readonly Leaf[],
  toolWords: ReadonlySet<string>,
  used: readonly Place[],
): TextFact[] {
  const { text, words } = reading
  const taken = [...used, ...reading.dates.filter((date) => !reading.quoted.some((quote) => overlaps(date, quote)))]
  const free = (word: Word): boolean => !/^\d/.test(word.text) && !taken.some((place) => overlaps(place, word))
  const known = new Set([...toolWords].flatMap((word) => [word, ...synonymsOf(word)]))
  const says = leaves.some((leaf) => leaf.role === 'topic' || leaf.role === 'message')
  const spans: TextFact[] = [
    ...reading.quoted,
    ...(says ? tails(reading, taken, toolWords) : []),
    ...reading.names,
    ...reading.names.flatMap(endsOfName),
    ...pairsOfNames(
      text,
      reading.names.filter((name) => name.parts === undefined),
    ),
    ...reading.codes.filter((code) => /\D/.test(code.text) || leaves.some((leaf) => leaf.role === 'id')),
    ...extendedNames(reading, toolWords),
    ...readPhrases(text, words, free),
    ...readPhrases(
      text,
      words,
      (word) => free(word) && !GENERIC.has(word.stem) && !leaves.some((leaf) => isCue(leaf, word.stem)),
    ),
    ...readPhrases(text, words, (word) => free(word) && !known.has(word.stem) && !GENERIC.has(word.stem)),
  ]
  if (leaves.some((leaf) => isPlace(leaf.role))) spans.push(...addresses(reading))
  const seen = new Set<string>()
  return spans.filter((span) => {
    const key = `${span.start}:${span.end}`
    if (seen.has(key) || isUnitWord(span.text) || used.some((place) => overlaps(place, span))) return false
    seen.add(key)
    return true
  })
}

export function overlaps(one: Place, other: Place): boolean {
  return one.start < other.end && one.end > other.start
}

function isUnitWord(said: string): boolean {
  const unit = said.length > 3 ? unitNamed(said) : null
  return unit !== null && (unit.dimension === 'temperature' || said === said.toLowerCase())
}

/** `Amazon rainforest`, `ATP synthase`: a name goes on in small letters where the tool itself has no such word. */
function extendedNames(reading: Reading, toolWords: ReadonlySet<string>): TextFact[] {
  const made: TextFact[] = []
  for (const name of reading.names) {
    const at = reading.words.findIndex((word) => word.start >= name.end)
    const next = reading.words[at]
    if (
      next === undefined ||
      next.stop ||
      name.parts !== undefined ||
      !/^[\s-]$/.test(reading.text.slice(name.end, next.start))
    )
      continue
    const beyond = reading.words[at + 1]
    const closes = beyond === undefined || beyond.stop || /[^\s-]/.test(reading.text.slice(next.end, beyond.start))
    if (!closes || toolWords.has(next.stem) || GENERIC.has(next.stem) || /(?:ing|ed|s)$|^\d/.test(next.lower)) continue
    made.push({ kind: 'extended', start: name.start, end: next.end, text: reading.text.slice(name.start, next.end) })
  }
  return made
}

const TAIL =
  /\b(?:about|for|regarding|on|saying|says|that|concerning|titled|of|to|because|since|as|due to|me to|reads?|why)\s+|:\s+/giu

/**
 * The rest of the sentence after a word that opens it (`saying …`, `because …`, `remind me to …`) or after the verb it
 * begins with; up to what another slot has taken, and without the `to my list` that only repeats the tool.
 */
function tails(reading: Reading, taken: readonly Place[], toolWords: ReadonlySet<string>): TextFact[] {
  const openings = [...reading.text.matchAll(TAIL)].map((match) => match.index + match[0].length)
  const first = reading.words.findIndex((word) => !word.stop)
  if (IMPERATIVES.has(reading.words[first]?.lower ?? ''))
    openings.push(reading.words[first + 1]?.start ?? reading.text.length)
  return openings.slice(0, MAX_TAILS).flatMap((opening) => {
    const told =
      /^(?:me|us)\s+(?:to|that|about|of)\s+/iu.exec(reading.text.slice(opening, opening + 16))?.[0].length ?? 0
    const start = Math.min(opening + told, reading.text.length)
    const sentence =
      /^[^.?!;\n]*(?:\.\d+[^.?!;\n]*)*/u.exec(reading.text.slice(start, start + MAX_TAIL_CHARS))?.[0] ?? ''
    const stop = Math.min(
      ...taken.filter((place) => place.start >= start).map((place) => place.start - start),
      sentence.length,
    )
    let said = sentence.slice(0, stop).trimEnd()
    const aside = /\s+(?:to|on|in|from|into)\s+(?:my|the|our)\s+([\p{L}]+(?:\s[\p{L}]+)?)$/u.exec(said)
    if (
      aside !== null &&
      reading.words.some(
        (word) =>
          toolWords.has(word.stem) && word.start >= start + (aside.index ?? 0) && word.end <= start + said.length,
      )
    ) {
      said = said.slice(0, aside.index)
    }
    said = said.replace(/[\s,]+(?:at|by|on|in|with|to|for|from|and|before|until|,)?$/iu, '')
    return said.length < MIN_TAIL_CHARS ? [] : [{ kind: 'tail' as const, start, end: start + said.length, text: said }]
  })
}

const MAX_TAILS = 12
const MIN_TAIL_CHARS = 3
const MAX_TAIL_CHARS = 600

const ADDRESS =
  /(?<![\p{L}\p{N}])\d{1,6}[A-Za-z]?\s+(?:[\p{Lu}\d][\p{L}\p{N}.'’-]*\s+){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Highway|Hwy)\b\.?(?:,?\s+(?:Apt|Suite|Unit|#)\.?\s*[\w-]+)?(?:,\s*\p{Lu}[\p{L}.'’ -]{1,40}?(?=,|\s+\d|\s+[a-z]|[.?!]|$))*(?:,?\s+[A-Z]{2}\b)?(?:,?\s+\d{5}(?:-\d{4})?)?/gu

/** Street addresses with house number, as far as city, state and zip code. */
function addresses(reading: Reading): TextFact[] {
  return [...reading.text.slice(0, MAX_ADDRESS_TEXT_CHARS).matchAll(ADDRESS)].map((match) => {
    const said = match[0].replace(/[,\s]+$/, '')
    return { kind: 'address' as const, start: match.index, end: match.index + said.length, text: said }
  })
}

const MAX_ADDRESS_TEXT_CHARS = 2_000
