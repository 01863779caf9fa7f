import { isWordCode } from './char-class.ts'
import { compilePattern } from './compile-pattern.ts'
import type { Step } from './compile-pattern.ts'
import { parsePattern } from './parse-pattern.ts'
import type { Assertion, PatternFlags } from './parse-pattern.ts'

export { MAX_PATTERN_CHARS, PatternRefused } from './parse-pattern.ts'

/** Machine steps of one search: about 50 ms. Beyond it the search throws, and whoever guards with it refuses. */
export const MAX_SEARCH_STEPS = 4_000_000

export class PatternTooCostly extends Error {
  override readonly name = 'PatternTooCostly'
}

export interface Found {
  readonly start: number
  readonly end: number
}

/**
 * A regular expression that never backtracks: all ways through the pattern advance together over the text, one character
 * at a time (Thompson 1968, with priorities after Pike so that the match is the one JavaScript would find). The cost of
 * a search is at most text length times pattern size, whatever the two contain.
 *
 * Invariants: at most one thread per program step and position; threads are ordered by priority, and a thread that
 * reaches `match` cuts those below it.
 */
export class LinearPattern {
  readonly #program: readonly Step[]
  readonly source: string

  constructor(source: string, flags: PatternFlags = {}) {
    this.source = source
    this.#program = compilePattern(parsePattern(source, flags))
  }

  test(text: string): boolean {
    return this.#search(text, 0, { left: MAX_SEARCH_STEPS }, true) !== null
  }

  /** All matches that do not overlap and begin at `from` or later, leftmost first; empty ones are left out. */
  findAll(text: string, from = 0): Found[] {
    const found: Found[] = []
    const budget = { left: MAX_SEARCH_STEPS }
    for (let at = from; at <= text.length;) {
      const match = this.#search(text, at, budget, false)
      if (match === null) break
      if (match.end > match.start) found.push(match)
      at = match.end > match.start ? match.end : match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1)
    }
    return found
  }

  /**
   * For a text that is still growing: the first place at `from` or later where a match may begin that is not decided yet,
   * the length of the text when there is none.
   */
  openAt(text: string, from = 0): number {
    const budget = { left: MAX_SEARCH_STEPS }
    let open = text.length
    for (let at = from; at <= text.length;) {
      const still = { open: text.length }
      const match = this.#search(text, at, budget, false, still)
      open = Math.min(open, still.open)
      if (match === null) break
      at = Math.max(match.end, at + 1)
    }
    return open
  }

  #search(text: string, from: number, budget: { left: number }, any: boolean, still?: { open: number }): Found | null {
    const size = this.#program.length
    let now = new Threads(size)
    let next = new Threads(size)
    let best: Found | null = null
    for (let at = from; ;) {
      const code = at < text.length ? text.codePointAt(at)! : -1
      if (best === null) this.#follow(0, at, text, at, now, still !== undefined)
      budget.left -= now.count + 1
      if (budget.left < 0) throw new PatternTooCostly(`"${this.source}" takes too long on this text`)
      const after = at + (code > 0xffff ? 2 : 1)
      next.clear()
      if (code < 0 && still !== undefined)
        for (let index = 0; index < now.count; index++) still.open = Math.min(still.open, now.starts[index]!)
      for (let index = 0; index < now.count; index++) {
        const step = this.#program[now.steps[index]!]!
        const start = now.starts[index]!
        if (step.op === 'match') {
          best = { start, end: at }
          if (any) return best
          break
        }
        if (step.op === 'char' && code >= 0 && step.accepts.has(code))
          this.#follow(now.steps[index]! + 1, start, text, after, next, still !== undefined)
      }
      if (code < 0 || (next.count === 0 && best !== null)) return best
      ;[now, next] = [next, now]
      at = after
    }
  }

  /** Adds a thread and all it reaches without reading a character. */
  #follow(step: number, start: number, text: string, at: number, into: Threads, growing: boolean): void {
    const open = [step]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (!into.visit(index)) continue
      const here = this.#program[index]!
      switch (here.op) {
        case 'split':
          open.push(here.or, here.to)
          break
        case 'jump':
          open.push(here.to)
          break
        case 'assert':
          // At the end of a text that is still growing an assertion may come out either way.
          if (holds(here.at, text, at) || (growing && at === text.length)) open.push(index + 1)
          break
        case 'char':
        case 'match':
          into.add(index, start)
          break
      }
    }
  }
}

class Threads {
  readonly steps: Uint32Array
  readonly starts: Uint32Array
  readonly #seen: Uint32Array
  #mark = 1
  count = 0

  constructor(size: number) {
    this.steps = new Uint32Array(size)
    this.starts = new Uint32Array(size)
    this.#seen = new Uint32Array(size)
  }

  clear(): void {
    this.count = 0
    this.#mark += 1
  }

  visit(step: number): boolean {
    if (this.#seen[step] === this.#mark) return false
    this.#seen[step] = this.#mark
    return true
  }

  add(step: number, start: number): void {
    this.steps[this.count] = step
    this.starts[this.count] = start
    this.count += 1
  }
}

function holds(assertion: Assertion, text: string, at: number): boolean {
  switch (assertion) {
    case 'start':
      return at === 0
    case 'end':
      return at === text.length
    case 'word':
      return wordAt(text, at - 1) !== wordAt(text, at)
    case 'notWord':
      return wordAt(text, at - 1) === wordAt(text, at)
  }
}

function wordAt(text: string, at: number): boolean {
  return at >= 0 && at < text.length && isWordCode(text.charCodeAt(at))
}
