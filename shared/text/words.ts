import { stem } from './stem.ts'

/**
 * Words of a text, as ranking, tool choice and slot filling see them. A word keeps where it stood, so that a recogniser can ask
 * what is near it and an answer can quote it.
 */
export interface Word {
  /** As written. */
  readonly text: string
  readonly lower: string
  readonly stem: string
  readonly start: number
  readonly end: number
  /** A function word: it names nothing. */
  readonly stop: boolean
}

/** Longer names are of nobody's making. */
const MAX_NAME_CHARS = 8_000

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}]+)?/gu

export function readWords(text: string): Word[] {
  const words: Word[] = []
  for (const match of text.matchAll(WORD)) {
    const written = match[0]
    const lower = written.toLowerCase().replace(/['’]s$/, '')
    words.push({
      text: written,
      lower,
      stem: stem(lower),
      start: match.index,
      end: match.index + written.length,
      stop: STOP.has(lower),
    })
  }
  return words
}

/** `getUserInfo`, `user_info.get`, `HTTPServer2` -> the plain words of an identifier. */
export function splitName(name: string): string[] {
  return name
    .slice(0, MAX_NAME_CHARS)
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/(\p{L})(\p{N})/gu, '$1 $2')
    .toLowerCase()
    .replace(COMPOUND, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '')
}

/** Two words that are often written as one in identifiers. */
const COMPOUND =
  /\b(user|file|first|last|full|nick|zip|post|time|phone|check|start|end|host|birth|due)(name|code|zone|number|in|out|date|time|day)\b/g

const list = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/).filter((word) => word !== ''))

/** Words that say nothing about what is wanted. */
export const STOP = list(`
  a about above after again all also am an and any anybody anyone are aren't as at be because been before being below
  between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either else
  ever every few for from further had has hasn't have haven't having he her here hers herself hi him himself his how
  however i i'd i'll i'm i've if in into is isn't it it's its itself just kindly let let's like may me might mine more
  most much must my myself no nor not now of off on once one only onto or other ought our ours out over own per
  please same shall she should since so some someone something still such than thank thanks that that's the their theirs
  them themselves then there there's these they they're this those though through thus to too toward towards under until
  up upon us using via very want was wasn't way we we'd we'll we're we've well were weren't what what's whatever when
  where which while who whom whose why will with within without won't would wouldn't yes yet you you'd you'll you're
  you've your yours yourself hello hey ok okay
  tell give show help need know see say ask go get got make made take use used
  where's how's who's takes uses using takes taking less least fewer according many several various bunch lot lots
`)

/**
 * Verbs and nouns that nearly every tool has in its name: they tell little apart. They still count, lightly, because
 * `convert` against `calculate` can decide between two tools that are otherwise alike.
 */
export const GENERIC = new Set(
  [
    ...list(`
  find get calculate compute retrieve fetch search look lookup determine estimate return provide create generate make
  list show display check give tell identify evaluate analyze analysis perform run execute obtain locate query request
  information info detail details data result results value values function tool api service system specific specified
  given particular certain based various user type name number method input output parameter option optional default
  please want need help using use used like different related current currently latest
  month week year day today tomorrow upcoming next last recent top best
  found located called named based published written directed released made built born founded created titled starring
`),
  ].map(stem),
)
