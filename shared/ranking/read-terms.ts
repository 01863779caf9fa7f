import { lemmaStem } from '#shared/text/lemma.ts'
import { stopWordsOf } from '#shared/text/foreign-stop-words.ts'
import { STOP } from '#shared/text/words.ts'

/**
 * Words of a text as ranking sees them. Both sides of a search go through here, so that they meet: `U.S.` is `us`,
 * `1,000` is `1000`, `Zürich` is `zurich`; of a script without spaces, pairs of characters stand for words.
 */
export interface RankWord {
  /** Lower case, without accents. */
  readonly surface: string
  /** By Porter for English and for what is not known to be another language, else the word's beginning. */
  readonly stem: string
  /** A function word: it only matters when nothing else was asked. */
  readonly stop: boolean
  readonly start: number
  readonly end: number
}

const NO_SPACES = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`
const WORD = new RegExp(
  String.raw`(?:\p{Lu}\.){2,}\p{Lu}?|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+\.\d+|[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?`,
  'gu',
)
const SPACELESS = new RegExp(`[${NO_SPACES}]`, 'u')
const SPACELESS_RUN = new RegExp(String.raw`[${NO_SPACES}\p{M}ー]+|[^${NO_SPACES}ー]+`, 'gu')
/**
 * Cutting a word to its first characters conflates inflected forms in most European languages about as well as a stemmer
 * (McNamee and Mayfield, "Character n-gram tokenization for European language text retrieval", 2004).
 */
const PREFIX_CHARS = 5

/** Whether words of this language are told by their beginnings: of all but English, and of what may be English. */
export function isByBeginning(language: string): boolean {
  return language !== '' && language !== 'en'
}

export function readTerms(text: string, language = ''): RankWord[] {
  const words: RankWord[] = []
  const english = !isByBeginning(language)
  const stop = english ? STOP : stopWordsOf(language)
  for (const match of text.matchAll(WORD)) {
    const written = match[0]
    if (SPACELESS.test(written)) pairs(written, match.index, words)
    else words.push(readWord(written, match.index, { english, stop }))
  }
  return words
}

function readWord(
  written: string,
  start: number,
  { english, stop }: { readonly english: boolean; readonly stop: ReadonlySet<string> },
): RankWord {
  const end = start + written.length
  const first = written.charCodeAt(0)
  if (first >= DIGIT_0 && first <= DIGIT_9) {
    const number = written.includes(',') ? written.replaceAll(',', '') : written.toLowerCase()
    return { surface: number, stem: number, stop: false, start, end }
  }
  const lower = written.toLowerCase()
  const bare = /['’.]/.test(lower) ? lower.replace(/['’]s$/, '').replaceAll('.', '') : lower
  const surface = fold(bare)
  // US, IT and WHO are names, us, it and who are not.
  const acronym = written.length > 1 && written.length <= MAX_ACRONYM_CHARS && written === written.toUpperCase()
  return {
    surface,
    stem: english ? lemmaStem(surface) : prefixOf(surface),
    stop: !acronym && (stop.has(lower) || stop.has(bare)),
    start,
    end,
  }
}

const DIGIT_0 = 48
const DIGIT_9 = 57
const MAX_ACRONYM_CHARS = 6

export function prefixOf(word: string): string {
  return word.length > PREFIX_CHARS ? word.slice(0, PREFIX_CHARS) : word
}

/** `é` -> `e`; letters of other scripts keep their marks where these are letters of their own. */
export function fold(lower: string): string {
  // eslint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(lower) ? lower : lower.normalize('NFKD').replace(/[\u0300-\u036f]/g, '')
}

function pairs(written: string, at: number, words: RankWord[]): void {
  for (const match of written.matchAll(SPACELESS_RUN)) {
    const start = at + match.index
    if (!SPACELESS.test(match[0])) {
      words.push(readWord(match[0], start, { english: true, stop: STOP }))
      continue
    }
    const characters = Array.from(match[0])
    let offset = start
    for (const [index, character] of characters.entries()) {
      const next = characters[index + 1]
      if (next !== undefined || characters.length === 1) {
        const pair = character + (next ?? '')
        words.push({ surface: pair, stem: pair, stop: false, start: offset, end: offset + pair.length })
      }
      offset += character.length
    }
  }
}
