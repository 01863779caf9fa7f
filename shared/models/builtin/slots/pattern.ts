/**
 * A `pattern` comes from a tenant's schema and runs on a stranger's text, so it may not be allowed to backtrack for ever.
 * Three bounds, each enough on most days: the pattern is short, nested or overlapping repetition is refused, and it is
 * only ever tried on short candidates, one at a time, whole.
 */
export const MAX_PATTERN_CHARS = 200
export const MAX_PATTERN_SUBJECT_CHARS = 40

const compiled = new Map<string, RegExp | null>()
const MAX_COMPILED = 500

/** Whether the candidate fits the pattern as a whole; null when the pattern is not one we are willing to run. */
export function fitsPattern(pattern: string, candidate: string): boolean | null {
  if (candidate.length > MAX_PATTERN_SUBJECT_CHARS) return false
  let expression = compiled.get(pattern)
  if (expression === undefined) {
    expression = compile(pattern)
    if (compiled.size >= MAX_COMPILED) compiled.clear()
    compiled.set(pattern, expression)
  }
  return expression === null ? null : expression.test(candidate)
}

function compile(pattern: string): RegExp | null {
  if (pattern.length > MAX_PATTERN_CHARS || !isTame(pattern)) return null
  try {
    // JSON Schema patterns are not anchored, but an id that only contains a match is not the id.
    return new RegExp(`^(?:${pattern.replace(/^\^/, '').replace(/\$$/, '')})$`, 'u')
  } catch {
    return null
  }
}

/**
 * Few repetitions, none of a group that itself varies (`(a+)+`, `(a|a)*`, `(a?){9}`), no back references, no look-around.
 * What is left backtracks polynomially, with a small power, on a short subject.
 */
function isTame(pattern: string): boolean {
  if (/\\[1-9]|\\k<|\(\?(?:[=!]|<[=!])/.test(pattern)) return false
  const varies: boolean[] = []
  let loops = 0
  let optionals = 0
  const mark = (): void => {
    if (varies.length > 0) varies[varies.length - 1] = true
  }
  for (let i = 0; i < pattern.length; i += 1) {
    const letter = pattern[i]
    if (letter === '\\') i += 1
    else if (letter === '[') i = endOfClass(pattern, i)
    else if (letter === '(') {
      varies.push(false)
      if (pattern[i + 1] === '?') i += 1
    } else if (letter === '|') mark()
    else if (letter === ')') {
      const inner = varies.pop() ?? false
      if (inner && /^(?:[*+]|\{)/.test(pattern.slice(i + 1))) return false
      if (inner) mark()
    } else if (letter === '?' && !/[*+}?]/.test(pattern[i - 1] ?? '')) {
      optionals += 1
      mark()
    } else if (letter === '*' || letter === '+' || (letter === '{' && /^\{\d+,\d*\}/.test(pattern.slice(i)))) {
      loops += 1
      mark()
    }
  }
  return loops <= MAX_LOOPS && optionals <= MAX_OPTIONALS
}

const MAX_LOOPS = 3
const MAX_OPTIONALS = 6

function endOfClass(pattern: string, start: number): number {
  for (let i = start + 1; i < pattern.length; i += 1) {
    if (pattern[i] === '\\') i += 1
    else if (pattern[i] === ']') return i
  }
  return pattern.length
}
