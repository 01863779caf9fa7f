import { detectAll } from 'tinyld'

import { STOP } from './words.ts'

/** Letters needed before a guess is worth more than none. */
const MIN_LETTERS = 24
/** The start of a text tells its language; the rest only costs. */
const SAMPLE_CHARS = 400
/** Below this the two nearest languages are told apart by chance. */
const MIN_ACCURACY = 0.15

/** ISO 639-1 code of the language most of a text is written in; '' when it is too short or too mixed to tell. */
export function languageOf(text: string): string {
  const sample = text.slice(0, SAMPLE_CHARS)
  if ((sample.match(/\p{L}/gu)?.length ?? 0) < MIN_LETTERS) return ''
  if (isEnglish(sample)) return 'en'
  const best = detectAll(sample)[0]
  return best === undefined || best.accuracy < MIN_ACCURACY ? '' : best.lang
}

/** Names of other languages mislead counts of letters, function words do not: of English text they are two fifths. */
function isEnglish(sample: string): boolean {
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? []
  const known = words.filter((word) => STOP.has(word)).length
  return words.length > 0 && known / words.length >= ENGLISH_SHARE
}

const ENGLISH_SHARE = 0.2
