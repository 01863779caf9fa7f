import { seededRandom } from '#shared/lib/random.ts'

const CONSONANTS = 'bcdfghjklmnprstvwz'
const VOWELS = 'aeiou'
const VOCABULARY = 12_000
const SENTENCE_WORDS = 14

/** Prose of invented words whose frequencies fall as those of a language do (Zipf): the same for the same seed. */
export class MadeProse {
  readonly #random: () => number
  readonly #words: readonly string[]

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    const random = seededRandom(1)
    this.#words = Array.from({ length: VOCABULARY }, (_, rank) => {
      const syllables = 2 + Math.floor(random() * 3)
      const pick = (letters: string): string => letters[Math.floor(random() * letters.length)]!
      return `${Array.from({ length: syllables }, () => pick(CONSONANTS) + pick(VOWELS)).join('')}${rank % 7}`.replace(
        /\d$/,
        (digit) => CONSONANTS[Number(digit)]!,
      )
    })
  }

  /** Rank r is drawn about 1/r as often as the first. */
  word(): string {
    const rank = Math.floor(VOCABULARY ** this.#random()) - 1
    return this.#words[Math.max(0, rank)]!
  }

  /** A rarer one, as questions hold them. */
  rareWord(): string {
    return this.#words[Math.floor(VOCABULARY ** (0.45 + 0.55 * this.#random())) - 1]!
  }

  paragraph(words: number): string {
    const sentences: string[] = []
    for (let left = words; left > 0; left -= SENTENCE_WORDS) {
      const said = Array.from({ length: Math.min(SENTENCE_WORDS, left) }, () => this.word()).join(' ')
      sentences.push(`${said[0]!.toUpperCase()}${said.slice(1)}.`)
    }
    return sentences.join(' ')
  }

  /** Text of about so many chunks of the default size. */
  document(chunks: number): string {
    return Array.from({ length: chunks }, (_, at) => `## Section ${at + 1}\n\n${this.paragraph(WORDS_OF_CHUNK)}`).join(
      '\n\n',
    )
  }

  question(): string {
    return Array.from({ length: 7 }, (_, at) => (at % 2 === 0 ? this.rareWord() : this.word())).join(' ')
  }
}

const WORDS_OF_CHUNK = 170
