import { isNumeric } from '../schema.ts'
import type { Filling } from './filling.ts'

const TERM = String.raw`(?:\d+(?:\.\d+)?\s*\*?\s*)?[a-z](?:\s?(?:\^|\*\*)\s?\d|[²³])?|\d+(?:\.\d+)?`
const POLYNOMIAL = new RegExp(
  `(?<![\\p{L}\\p{N}.])(?:[-−]\\s*)?(?:${TERM})(?:\\s*[-+−]\\s*(?:${TERM}))+(?![\\p{L}\\p{N}])`,
  'giu',
)
const ONE_TERM =
  /(?<sign>[-+−]?)\s*(?:(?<number>\d+(?:\.\d+)?)\s*\*?\s*)?(?:(?<variable>[a-z])(?:\s?(?:\^|\*\*)\s?(?<power>\d)|(?<raised>[²³]))?)?/giu
const MAX_TEXT_CHARS = 1_000

/** `2x^2 - 5x + 3`: slots for coefficients, in the order a, b, c, are filled from the highest power down. */
export function fillCoefficients(filling: Filling): void {
  const slots = filling
    .open((leaf) => isNumeric(leaf.slot))
    .filter((leaf) => /^[a-e]$/i.test(leaf.slot.name) || /coeff/i.test(leaf.slot.name))
  if (slots.length < 2 || !slots.some((leaf) => /coefficient|constant/i.test(leaf.slot.description))) return
  for (const match of filling.reading.text.slice(0, MAX_TEXT_CHARS).matchAll(POLYNOMIAL)) {
    const coefficients = readCoefficients(match[0], slots.length)
    if (coefficients === null) continue
    const place = { start: match.index, end: match.index + match[0].length }
    for (const [i, leaf] of slots.entries()) filling.take(leaf, coefficients[i] ?? 0, place)
    return
  }
}

/** Highest power first; null when it is no polynomial in one variable of just this degree. */
function readCoefficients(text: string, count: number): number[] | null {
  const coefficients = Array.from({ length: count }, () => 0)
  const variables = new Set<string>()
  let highest = 0
  for (const { 0: term, groups = {} } of text.matchAll(ONE_TERM)) {
    if (!/[\p{L}\p{N}]/u.test(term)) continue
    const { sign = '', number, variable, power, raised } = groups
    if (variable !== undefined) variables.add(variable)
    const degree = variable === undefined ? 0 : raised === undefined ? Number(power ?? 1) : raised === '²' ? 2 : 3
    if (degree >= count) return null
    highest = Math.max(highest, degree)
    const value = Number(number ?? 1) * (/[-−]/.test(sign) ? -1 : 1)
    const at = count - 1 - degree
    coefficients[at] = (coefficients[at] ?? 0) + value
  }
  return variables.size === 1 && highest === count - 1 ? coefficients : null
}

/** Slots for a function or an equation take the formulas in order. */
export function fillFormulas(filling: Filling): void {
  const left = [...filling.reading.formulas]
  for (const leaf of filling.open((one) => one.role === 'formula' && one.slot.type === 'string')) {
    const fact = left.shift()
    if (fact === undefined) return
    filling.take(leaf, fact.text, fact)
  }
}
