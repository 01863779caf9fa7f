import { countTokens } from '#shared/text/tokens.ts'

export interface Range {
  readonly start: number
  readonly end: number
  readonly tokens: number
}

const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' })
/** What counts as one token, where there is nothing better to cut at. */
const TOKEN =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\p{L}\p{M}]{1,6}|\p{N}{1,3}|\S/gu

/** Parts of a text, without white space at their ends, together all else of it. */
export type Cut = (text: string) => { readonly start: number; readonly end: number }[]

export const byLines: Cut = (text) => trimmedParts(text, text.matchAll(/[^\n]+/g))

export const bySentences: Cut = (text) =>
  trimmedParts(
    text,
    Array.from(SENTENCES.segment(text), ({ segment, index }) => ({ 0: segment, index })),
  )

const byWords: Cut = (text) => trimmedParts(text, text.matchAll(/\S+/g))

const byTokens: Cut = (text) => trimmedParts(text, text.matchAll(TOKEN))

/**
 * Ranges of at most `maxTokens`, of about the same size, cut at lines, else sentences, else words, else anywhere. Text that
 * fits is one range.
 */
export function splitText(text: string, maxTokens: number, cuts: readonly Cut[] = [bySentences]): Range[] {
  return split(text, 0, maxTokens, [...cuts, byWords, byTokens])
}

function split(text: string, offset: number, maxTokens: number, cuts: readonly Cut[]): Range[] {
  const tokens = countTokens(text)
  const [cut, ...finer] = cuts
  if (tokens <= maxTokens || cut === undefined) return [{ start: offset, end: offset + text.length, tokens }]
  const parts = cut(text).flatMap(({ start, end }) => split(text.slice(start, end), offset + start, maxTokens, finer))
  return packed(parts, maxTokens)
}

/** Neighbours joined while they fit, as evenly as that allows: four hundred and fifty are two halves, not 400 and 50. */
export function packed(parts: readonly Range[], maxTokens: number): Range[] {
  const total = parts.reduce((sum, part) => sum + part.tokens, 0)
  const target = total / Math.max(1, Math.ceil(total / maxTokens))
  const joined: Range[] = []
  let open: Range | null = null
  for (const part of parts) {
    // Joined where that comes nearer to the target than ending here does.
    if (open !== null && open.tokens + part.tokens <= maxTokens && open.tokens + part.tokens / 2 <= target) {
      open = { start: open.start, end: part.end, tokens: open.tokens + part.tokens }
    } else {
      if (open !== null) joined.push(open)
      open = part
    }
  }
  if (open !== null) joined.push(open)
  return joined
}

function trimmedParts(
  text: string,
  found: Iterable<{ readonly 0: string; readonly index: number }>,
): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = []
  for (const { 0: part, index } of found) {
    const start = index + part.length - part.trimStart().length
    const end = index + part.trimEnd().length
    if (end > start) parts.push({ start, end })
  }
  return parts
}
