import type { Box, PlacedLine } from '../parsed-page.ts'

/** Joins printed lines into running text and keeps where each stands in it. */
export class LinesOfText {
  #text = ''
  readonly #lines: PlacedLine[] = []

  get text(): string {
    return this.#text
  }

  get lines(): readonly PlacedLine[] {
    return this.#lines
  }

  /** As the continuation of the line before: a word divided at its end is put together again. */
  flow(text: string, box: Box): void {
    if (this.#text === '') return this.#add('', text, box)
    if (!divided(this.#text, text)) return this.#add(/[\u2010-\u2014/-]$/.test(this.#text) ? '' : ' ', text, box)
    this.#text = this.#text.slice(0, -1)
    const last = this.#lines.pop()
    if (last !== undefined) this.#lines.push({ ...last, end: last.end - 1 })
    this.#add('', text, box)
  }

  /** On a line of its own. */
  break(text: string, box: Box): void {
    this.#add(this.#text === '' ? '' : '\n', text, box)
  }

  #add(separator: string, text: string, box: Box): void {
    this.#text += separator
    const start = this.#text.length
    this.#text += text
    this.#lines.push({ start, end: this.#text.length, box })
  }
}

/**
 * "infor-" + "mation" is one word. The hyphen of "well-known" stays when a line happens to end at it: the first part then is
 * mostly short of a syllable rule we could apply, so a word that has another hyphen keeps this one, and so does what goes
 * on with a capital or a digit.
 */
function divided(before: string, after: string): boolean {
  const word = /(\S+)[-\u2010\u00ad]$/.exec(before)?.[1]
  return word !== undefined && /^\p{Ll}/u.test(after) && /\p{L}{2,}$/u.test(word) && !/[-\u2010/@\d]/.test(word)
}
