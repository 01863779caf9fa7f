/**
 * Text as it is meant to be read: full-width and mathematical letters as plain ones, digits of other scripts as 0-9,
 * dashes and spaces as the common ones, invisible characters left out; on request look-alike letters as Latin ones, and
 * lower case. Each code point is folded by itself, so that a text folded piece by piece is the text folded at once.
 */
export interface FoldOptions {
  readonly lookalikes?: boolean
  readonly lowerCase?: boolean
}

/** Grows by appending; `rawStart` and `rawEnd` lead from an index of `text` back to the original. */
export class FoldedText {
  readonly #options: FoldOptions
  #text = ''
  #rawLength = 0
  /** Null while the folded text is the original. */
  #starts: number[] | null = null
  #ends: number[] = []

  constructor(raw = '', options: FoldOptions = {}) {
    this.#options = options
    this.append(raw)
  }

  get text(): string {
    return this.#text
  }

  /** Whole code points only: the caller keeps half a surrogate pair back. */
  append(raw: string): void {
    if (this.#starts === null && isPlain(raw)) {
      this.#text += this.#options.lowerCase === true ? raw.toLowerCase() : raw
      this.#rawLength += raw.length
      return
    }
    const starts = (this.#starts ??= Array.from({ length: this.#text.length }, (_, index) => index))
    if (this.#ends.length < starts.length)
      for (let index = this.#ends.length; index < starts.length; index++) this.#ends.push(index + 1)
    const parts: string[] = []
    for (const char of raw) {
      const folded = this.#fold(char)
      const end = this.#rawLength + char.length
      for (let unit = 0; unit < folded.length; unit++) {
        starts.push(this.#rawLength)
        this.#ends.push(end)
      }
      parts.push(folded)
      this.#rawLength = end
    }
    this.#text += parts.join('')
  }

  /** Where in the original the character at `index` begins; for the end of the text, the end of the original. */
  rawStart(index: number): number {
    if (index >= this.#text.length) return this.#rawLength
    return this.#starts === null ? index : this.#starts[index]!
  }

  /** Where in the original the character before `index` ends. */
  rawEnd(index: number): number {
    if (this.#starts === null || index === 0) return index
    return this.#ends[index - 1]!
  }

  #fold(char: string): string {
    let folded = foldChar(char)
    if (this.#options.lookalikes === true) folded = LOOKALIKES.get(folded) ?? folded
    return this.#options.lowerCase === true ? folded.toLowerCase() : folded
  }
}

export function foldText(raw: string, options: FoldOptions = {}): string {
  return new FoldedText(raw, options).text
}

/** Characters that show nothing: they can hide words from a guard, or a message from a reader. */
export const INVISIBLE = new RegExp(
  '[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164' +
    '\\ufe00-\\ufe0f\\ufeff\\uffa0\\u{e0000}-\\u{e01ef}]',
  'u',
)

// oxlint-disable-next-line no-control-regex -- ASCII is meant
const isPlain = (text: string): boolean => /^[\0-\x7f]*$/.test(text)
const SPACE = /^[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$/
const DASH = /^[\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58]$/
/** Zeros of the scripts whose digits NFKC leaves alone. */
const ZEROS = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040,
  0x17e0, 0x1810,
]

/** Few code points fold, and the same ones again and again. */
const known = new Map<string, string>()
const KNOWN_MAX = 4_096

function foldChar(char: string): string {
  if (char.length === 1 && char < '\u0080') return char
  const remembered = known.get(char)
  if (remembered !== undefined) return remembered
  const folded = foldUnknown(char)
  if (known.size < KNOWN_MAX) known.set(char, folded)
  return folded
}

function foldUnknown(char: string): string {
  if (INVISIBLE.test(char)) return ''
  if (SPACE.test(char)) return ' '
  if (DASH.test(char)) return '-'
  if (char === '\u3002') return '.'
  const code = char.codePointAt(0)!
  for (const zero of ZEROS) if (code >= zero && code < zero + 10) return String(code - zero)
  const plain = char.normalize('NFKC')
  return isPlain(plain) && plain.trim() !== '' ? plain : char
}

/** Cyrillic, Greek, Armenian and phonetic letters, each with the Latin one that it looks like. */
const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  `
    аa вb сc ԁd еe ёe ғf һh іi їi јj кk ӏl мm оo рp ԛq ѕs тt υu ѵv ԝw хx уy үy АA ВB СC ЕE НH ІI ЈJ КK
    МM ОO РP ЅS ТT ХX УY ҮY αa εe ιi κk νv οo ρp τt χx γy ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX օo
    սu հh ոn ıi ɡg ɑa ʟl ǃ!
  `
    .trim()
    .split(/\s+/)
    .map((pair) => [pair.slice(0, -1), pair.slice(-1)]),
)
