/** A set of code points: a table for ASCII, a test for the rest. */
export class CharClass {
  readonly #ascii = new Uint8Array(128)
  readonly #test: (code: number) => boolean
  /** The one character it holds, when it was written as one. */
  readonly single: string | null

  constructor(test: (code: number) => boolean, single: string | null = null) {
    this.#test = test
    this.single = single
    for (let code = 0; code < 128; code++) this.#ascii[code] = test(code) ? 1 : 0
  }

  has(code: number): boolean {
    return code < 128 ? this.#ascii[code] === 1 : this.#test(code)
  }

  ignoringCase(): CharClass {
    return new CharClass((code) => {
      if (this.#test(code)) return true
      const char = String.fromCodePoint(code)
      return this.#hasOne(char.toLowerCase()) || this.#hasOne(char.toUpperCase())
    }, null)
  }

  #hasOne(char: string): boolean {
    const code = char.codePointAt(0)!
    return char.length === (code > 0xffff ? 2 : 1) && this.#test(code)
  }
}

/** Any of the characters of a text. */
export function classOf(chars: string): CharClass {
  const codes = Array.from(chars, (char) => char.codePointAt(0)!)
  if (codes.length !== 1) return new CharClass((code) => codes.includes(code))
  const only = codes[0]!
  return new CharClass((code) => code === only, chars)
}

export function rangeClass(low: string, high: string): CharClass {
  const from = low.codePointAt(0)!
  const to = high.codePointAt(0)!
  return new CharClass((code) => code >= from && code <= to)
}

export function unionOf(members: readonly CharClass[]): CharClass {
  return new CharClass((code) => members.some((member) => member.has(code)))
}

export function negate(positive: CharClass): CharClass {
  return new CharClass((code) => !positive.has(code))
}

const DIGIT = rangeClass('0', '9')
const WORD = unionOf([rangeClass('a', 'z'), rangeClass('A', 'Z'), DIGIT, classOf('_')])
const SPACE = new CharClass((code) => /\s/.test(String.fromCodePoint(code)))
const ESCAPES: Readonly<Record<string, CharClass>> = {
  d: DIGIT,
  D: negate(DIGIT),
  w: WORD,
  W: negate(WORD),
  s: SPACE,
  S: negate(SPACE),
  t: classOf('\t'),
  n: classOf('\n'),
  r: classOf('\r'),
  f: classOf('\f'),
  v: classOf('\v'),
  0: classOf('\0'),
}

/** Null when the letter is no such escape. */
export function escapeClass(letter: string): CharClass | null {
  return Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter]! : null
}

export function isWordCode(code: number): boolean {
  return WORD.has(code)
}

/** `L`, `Lu`, `Script=Greek`… Null when Unicode has no such property. */
export function propertyClass(name: string): CharClass | null {
  if (!/^[A-Za-z_]{1,40}(?:=[A-Za-z_]{1,40})?$/.test(name)) return null
  try {
    const one = new RegExp(`^\\p{${name}}$`, 'u')
    return new CharClass((code) => one.test(String.fromCodePoint(code)))
  } catch {
    return null
  }
}
