import { createRequire } from 'node:module'
import { STOP } from './words.ts'

// It has no types of its own, and is read once.
const lists = createRequire(import.meta.url)('stopword') as Readonly<Record<string, readonly string[]>>

/** ISO 639-1 -> the list's name in `stopword`, which has ISO 639-3. */
const LISTS: Readonly<Record<string, string>> = {
  bg: 'bul',
  ca: 'cat',
  cs: 'ces',
  da: 'dan',
  de: 'deu',
  el: 'ell',
  es: 'spa',
  et: 'est',
  fi: 'fin',
  fr: 'fra',
  hr: 'hrv',
  hu: 'hun',
  it: 'ita',
  lt: 'lit',
  lv: 'lav',
  nl: 'nld',
  no: 'nob',
  pl: 'pol',
  pt: 'por',
  ro: 'ron',
  ru: 'rus',
  sk: 'slk',
  sl: 'slv',
  sv: 'swe',
  tr: 'tur',
  uk: 'ukr',
  vi: 'vie',
}

const known = new Map<string, ReadonlySet<string>>()

/**
 * Function words of a language, lower case; with those of English, because a guess may be wrong and other languages quote it.
 * Of languages without a list, those of English alone.
 */
export function stopWordsOf(language: string): ReadonlySet<string> {
  const list = LISTS[language]
  if (list === undefined) return STOP
  const before = known.get(language)
  if (before !== undefined) return before
  const words = new Set([...STOP, ...lists[list]!])
  known.set(language, words)
  return words
}
