/**
 * The suffix stripper of Martin Porter, "An algorithm for suffix stripping" (Program 14/3, 1980). It makes `booking`,
 * `booked` and `books` one term. Words of other alphabets and words with digits pass unchanged.
 */
export function stem(word: string): string {
  if (word.length < 3 || word.length > MAX_STEMMED_CHARS || !/^[a-z]+$/.test(word)) return word
  const known = cache.get(word)
  if (known !== undefined) return known
  const made = suffixes(word)
  // A bound and not a policy: the cache only saves time, so it is dropped whole when it is full.
  if (cache.size >= MAX_CACHED_STEMS) cache.clear()
  cache.set(word, made)
  return made
}

const MAX_STEMMED_CHARS = 40
const MAX_CACHED_STEMS = 20_000
const cache = new Map<string, string>()

const VOWEL = '(?:[aeiou]|(?<=[^aeiou])y)'
const HAS_VOWEL = new RegExp(VOWEL)
const DOUBLE_END = /([^aeiouylsz])\1$/
const SHORT_END = /[^aeiou][aeiouy][^aeiouwxy]$/

/** Porter's m: how often a vowel run is followed by a consonant run. */
function measure(part: string): number {
  let runs = 0
  let afterVowel = false
  for (let i = 0; i < part.length; i += 1) {
    const vowel = isVowel(part, i)
    if (!vowel && afterVowel) runs += 1
    afterVowel = vowel
  }
  return runs
}

function isVowel(word: string, at: number): boolean {
  const letter = word[at]
  if (letter === undefined) return false
  if ('aeiou'.includes(letter)) return true
  return letter === 'y' && at > 0 && !isVowel(word, at - 1)
}

const STEP_2: readonly (readonly [string, string])[] = [
  ['ational', 'ate'],
  ['ization', 'ize'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['tional', 'tion'],
  ['biliti', 'ble'],
  ['ation', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['ousli', 'ous'],
  ['entli', 'ent'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['ator', 'ate'],
  ['logi', 'log'],
  ['eli', 'e'],
]

const STEP_3: readonly (readonly [string, string])[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
]

const STEP_4 = 'ement ance ence able ible ment ant ent ism ate iti ous ive ize ion al er ic ou'.split(' ')

function suffixes(word: string): string {
  let w = word
  if (w.endsWith('sses') || w.endsWith('ies')) w = w.slice(0, -2)
  else if (w.endsWith('s') && !w.endsWith('ss')) w = w.slice(0, -1)

  if (w.endsWith('eed')) {
    if (measure(w.slice(0, -3)) > 0) w = w.slice(0, -1)
  } else {
    const cut = w.endsWith('ed') ? 2 : w.endsWith('ing') ? 3 : 0
    if (cut > 0 && HAS_VOWEL.test(w.slice(0, -cut))) {
      w = w.slice(0, -cut)
      if (/(?:at|bl|iz)$/.test(w)) w += 'e'
      else if (DOUBLE_END.test(w)) w = w.slice(0, -1)
      else if (measure(w) === 1 && SHORT_END.test(w)) w += 'e'
    }
  }
  if (w.endsWith('y') && HAS_VOWEL.test(w.slice(0, -1))) w = `${w.slice(0, -1)}i`

  w = replaceFirst(w, STEP_2)
  w = replaceFirst(w, STEP_3)
  for (const suffix of STEP_4) {
    if (!w.endsWith(suffix)) continue
    const rest = w.slice(0, -suffix.length)
    if (measure(rest) > 1 && (suffix !== 'ion' || /[st]$/.test(rest))) w = rest
    break
  }

  if (w.endsWith('e')) {
    const rest = w.slice(0, -1)
    const m = measure(rest)
    if (m > 1 || (m === 1 && !SHORT_END.test(rest))) w = rest
  }
  if (w.endsWith('ll') && measure(w.slice(0, -1)) > 1) w = w.slice(0, -1)
  return w
}

function replaceFirst(word: string, rules: readonly (readonly [string, string])[]): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue
    const rest = word.slice(0, -suffix.length)
    return measure(rest) > 0 ? rest + replacement : word
  }
  return word
}
