import type { TextFact } from './fact.ts'

const MAX_TEXT_CHARS = 1_000
const CALL = String.raw`\b(?:sin|cos|tan|log|ln|exp|sqrt|abs)\([^()]{1,40}\)`
const GROUP = String.raw`\([^()\n]{1,60}\)`
const NUMBER = String.raw`\d+(?:\.\d+)?`
const TERM = `(?:${NUMBER}\\s?\\*?\\s?)?(?:${CALL}|${GROUP}|[a-z](?![a-z]))(?:\\s?(?:\\^|\\*\\*)\\s?-?(?:\\d+|[a-z](?![a-z]))|[²³])?|${NUMBER}(?!\\s?[%°])`
const FORMULA = new RegExp(
  `(?<![\\p{L}\\p{N}.])(?:[a-z]\\([a-z]\\)\\s*=\\s*|[a-z]\\s=\\s)?-?\\s?(?:${TERM})(?:\\s*[-+*/^]{1,2}\\s*(?:${TERM}))*`,
  'gu',
)
/** `f(x) =`, `y =`: what the formula is called is not part of it. */
const CALLED = /^[a-z](?:\([a-z]\))?\s*=\s*/

/** `3x^2 + 2x - 1`, `f(x) = sin(x)`: at least one variable and one sign of mathematics. */
export function readFormulas(text: string): TextFact[] {
  const near = text.slice(0, MAX_TEXT_CHARS)
  if (!/[\^*+()²³]|\d[a-z]\b|[-/]/.test(near)) return []
  return [...near.matchAll(FORMULA)].flatMap((match) => {
    const said = match[0].trim().replace(CALLED, '')
    const mathematical =
      /[\^*+²³]|\d[a-z](?![a-z])|[a-z]\(|\)\s*[/*]|[a-z]\s*[-/]\s*\d|\d\s*[-/]\s*[a-z](?![a-z])/.test(said)
    // 1e-9 is a number.
    if (/^-?\d+(?:\.\d+)?e[-+]?\d/.test(said)) return []
    if (!mathematical || !/(?<![a-z])[a-z](?![a-z])|[a-z]\(/.test(said) || said.length < 2) return []
    const start = match.index + match[0].indexOf(said)
    return [{ kind: 'formula' as const, start, end: start + said.length, text: said }]
  })
}
