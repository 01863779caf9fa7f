import { classOf, escapeClass, negate, propertyClass, rangeClass, unionOf } from './char-class.ts'
import type { CharClass } from './char-class.ts'

/**
 * The regular expressions that can be run in linear time: everything of JavaScript's syntax but back-references and
 * look-around. A pattern that needs those, or is too long, is refused by name instead of being run by a backtracking
 * engine, since whoever configures a tenant writes it and anybody's text meets it.
 */
export const MAX_PATTERN_CHARS = 500
const MAX_REPEAT = 100
const MAX_GROUP_DEPTH = 20

export class PatternRefused extends Error {
  override readonly name = 'PatternRefused'
}

export type Node =
  | { readonly kind: 'char'; readonly accepts: CharClass }
  | { readonly kind: 'assert'; readonly at: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number; readonly lazy: boolean }

export type Assertion = 'start' | 'end' | 'word' | 'notWord'

export interface PatternFlags {
  readonly ignoreCase?: boolean
}

export function parsePattern(source: string, flags: PatternFlags = {}): Node {
  if (source.length > MAX_PATTERN_CHARS) throw new PatternRefused(`longer than ${MAX_PATTERN_CHARS} characters`)
  const parser = new Parser(source, flags.ignoreCase === true)
  return parser.whole()
}

class Parser {
  readonly #chars: readonly string[]
  readonly #ignoreCase: boolean
  #at = 0
  #depth = 0

  constructor(source: string, ignoreCase: boolean) {
    this.#chars = Array.from(source)
    this.#ignoreCase = ignoreCase
  }

  whole(): Node {
    const node = this.#choice()
    if (this.#at < this.#chars.length) throw new PatternRefused(`unexpected "${this.#chars[this.#at]}"`)
    return node
  }

  #choice(): Node {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (;;) {
      const next = this.#peek()
      if (next === undefined || next === '|' || next === ')') break
      parts.push(this.#repeated())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  #repeated(): Node {
    const part = this.#atom()
    const bounds = this.#quantifier()
    if (bounds === null) return part
    if (part.kind === 'assert') throw new PatternRefused('a repeated assertion')
    const lazy = this.#take('?')
    if (this.#quantifier() !== null) throw new PatternRefused('a repeated quantifier')
    return { kind: 'repeat', part, ...bounds, lazy }
  }

  #quantifier(): { min: number; max: number } | null {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    if (this.#peek() !== '{') return null
    const end = this.#chars.indexOf('}', this.#at)
    const inner = end < 0 ? '' : this.#chars.slice(this.#at + 1, end).join('')
    const match = /^(\d{1,4})(,(\d{1,4})?)?$/.exec(inner)
    if (match === null) throw new PatternRefused('a "{" that opens no quantifier; write "\\{"')
    this.#at = end + 1
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === undefined ? Infinity : Number(match[3])
    if (max < min) throw new PatternRefused('a quantifier with its bounds out of order')
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT))
      throw new PatternRefused(`a repetition above ${MAX_REPEAT}`)
    return { min, max }
  }

  #atom(): Node {
    const char = this.#next()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return this.#char(this.#class())
      case '.':
        return this.#char(negate(classOf('\n\r\u2028\u2029')))
      case '^':
        return { kind: 'assert', at: 'start' }
      case '$':
        return { kind: 'assert', at: 'end' }
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new PatternRefused(`a "${char}" that stands for nothing; write "\\${char}"`)
      default:
        return this.#char(classOf(char))
    }
  }

  #group(): Node {
    if (++this.#depth > MAX_GROUP_DEPTH) throw new PatternRefused(`groups nested deeper than ${MAX_GROUP_DEPTH}`)
    if (this.#take('?')) {
      const kind = this.#next()
      if (kind === '<' && this.#peek() !== '=' && this.#peek() !== '!') {
        while (this.#next() !== '>');
      } else if (kind !== ':') {
        throw new PatternRefused('look-around, which cannot be run in linear time')
      }
    }
    const node = this.#choice()
    if (!this.#take(')')) throw new PatternRefused('a group that is not closed')
    this.#depth -= 1
    return node
  }

  #escape(): Node {
    const char = this.#next()
    if (char === 'b') return { kind: 'assert', at: 'word' }
    if (char === 'B') return { kind: 'assert', at: 'notWord' }
    if (char === 'k' || (char >= '1' && char <= '9'))
      throw new PatternRefused('a back-reference, which cannot be run in linear time')
    return this.#char(this.#escaped(char))
  }

  /** What an escape means inside and outside a class. */
  #escaped(char: string): CharClass {
    const known = escapeClass(char)
    if (known !== null) return known
    if (char === 'p' || char === 'P') {
      if (!this.#take('{')) throw new PatternRefused('a property without its name')
      let name = ''
      for (let next = this.#next(); next !== '}'; next = this.#next()) name += next
      const property = propertyClass(name)
      if (property === null) throw new PatternRefused(`an unknown property "${name}"`)
      return char === 'P' ? negate(property) : property
    }
    if (char === 'x') return classOf(this.#codePoint(2))
    if (char === 'u') {
      if (!this.#take('{')) return classOf(this.#codePoint(4))
      let digits = ''
      for (let next = this.#next(); next !== '}'; next = this.#next()) digits += next
      return classOf(fromHex(digits))
    }
    if (/[A-Za-z0-9]/.test(char)) throw new PatternRefused(`an unknown escape "\\${char}"`)
    return classOf(char)
  }

  #codePoint(digits: number): string {
    let hex = ''
    while (hex.length < digits) hex += this.#next()
    return fromHex(hex)
  }

  #class(): CharClass {
    const negated = this.#take('^')
    const members: CharClass[] = []
    for (;;) {
      const char = this.#next()
      if (char === ']') break
      const low = char === '\\' ? this.#classEscape() : char
      if (this.#peek() === '-' && this.#chars[this.#at + 1] !== ']' && typeof low === 'string') {
        this.#at += 1
        const next = this.#next()
        const high = next === '\\' ? this.#classEscape() : next
        if (typeof high !== 'string' || high.codePointAt(0)! < low.codePointAt(0)!)
          throw new PatternRefused('a range out of order')
        members.push(rangeClass(low, high))
      } else members.push(typeof low === 'string' ? classOf(low) : low)
    }
    const union = unionOf(members)
    if (!negated) return union
    return negate(this.#ignoreCase ? union.ignoringCase() : union)
  }

  /** One character where the escape means one: it may begin a range. */
  #classEscape(): string | CharClass {
    const char = this.#next()
    if (char === 'b') return '\b'
    const meant = this.#escaped(char)
    return meant.single ?? meant
  }

  #char(accepts: CharClass): Node {
    return { kind: 'char', accepts: this.#ignoreCase ? accepts.ignoringCase() : accepts }
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #next(): string {
    const char = this.#chars[this.#at]
    if (char === undefined) throw new PatternRefused('a pattern that ends too early')
    this.#at += 1
    return char
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false
    this.#at += 1
    return true
  }
}

function fromHex(digits: string): string {
  const code = /^[0-9a-fA-F]{1,6}$/.test(digits) ? Number.parseInt(digits, 16) : Infinity
  if (code > 0x10ffff) throw new PatternRefused('an escape that is no character')
  return String.fromCodePoint(code)
}
