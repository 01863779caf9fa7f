import { seededRandom } from '#shared/lib/random.ts'

const CONSONANTS = 'bcdfghjklmnprstvwz'
const VOWELS = 'aeiou'
const VOCABULARY = 12_000
const SENTENCE_WORDS = 14
const SMALL_WORDS = 150
const QUESTION_WORDS = 6

/** Prose of invented words whose frequencies fall as those of a language do (Zipf): the same for the same seed. */
export class MadeProse {
  readonly #random: () => number
  readonly #words: readonly string[]
  /** What stands for the function words of a language. */
  readonly #small: ReadonlySet<string>
  readonly #paragraphs: string[][] = []

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
    this.#small = new Set(this.#words.slice(0, SMALL_WORDS))
  }

  /** Rank r is drawn about 1/r as often as the first. */
  word(): string {
    const rank = Math.floor(VOCABULARY ** this.#random()) - 1
    return this.#words[Math.max(0, rank)]!
  }

  paragraph(words: number): string {
    const all = Array.from({ length: words }, () => this.word())
    this.#paragraphs.push(all)
    const sentences: string[] = []
    for (let at = 0; at < words; at += SENTENCE_WORDS) {
      const said = all.slice(at, at + SENTENCE_WORDS).join(' ')
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

  /** Words of one of the paragraphs, in their order, as somebody asks about it; those that every paragraph holds are left out. */
  question(): string {
    const about = this.#paragraphs[Math.floor(this.#random() * this.#paragraphs.length)]!
    const words = about.filter((word) => !this.#small.has(word))
    const from = Math.floor(this.#random() * Math.max(1, words.length - QUESTION_WORDS))
    return words.slice(from, from + QUESTION_WORDS).join(' ')
  }
}

const WORDS_OF_CHUNK = 170
