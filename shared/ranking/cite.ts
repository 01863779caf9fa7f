import { splitSentences } from '#shared/text/sentences.ts'
import { checkClaim } from './check-claim.ts'
import { quoteFrom } from './quote.ts'
import type { QuotablePassage } from './quote.ts'

export interface CitablePassage extends QuotablePassage {
  /** The mark by which an answer cites it. */
  readonly mark: number
  /** Where its text begins in the canonical text of its document. */
  readonly start: number
}

export interface CitedSpan<P> {
  readonly passage: P
  readonly mark: number
  /** In the canonical text of the passage's document; `quote` stands there to the letter. */
  readonly start: number
  readonly end: number
  readonly quote: string
}

export interface CitedAnswer<P> {
  /** The answer without the marks that say nothing. */
  readonly answer: string
  readonly spans: readonly CitedSpan<P>[]
  /** Claims that the passage they cite does not say. */
  readonly unsupported: readonly string[]
  /** Marks that no passage has. */
  readonly unknown: readonly number[]
}

const MARK = /\s?\[(\d{1,4})\]/g
/** What stands in quotation marks right before a mark is a quote, and must be one to the letter. */
const QUOTE_BEFORE = /[“"]([^“”"]{3,2000})[”"][.,;:]?$/u

/**
 * Holds an answer against the passages it was made from. Marks come from a closed list, so one that no passage has is taken
 * out. A quote must stand in its passage to the letter; any other sentence must be covered by the sentences of the passage
 * that are nearest to it, numbers included (`checkClaim`). What is not loses its mark, and is told.
 */
export function citeAnswer<P extends CitablePassage>(answer: string, passages: readonly P[]): CitedAnswer<P> {
  const spans: CitedSpan<P>[] = []
  const unsupported: string[] = []
  const unknown: number[] = []
  let kept = ''
  let from = 0
  let claimFrom = 0
  for (const found of answer.matchAll(MARK)) {
    const mark = Number(found[1])
    const before = answer.slice(from, found.index)
    kept += before
    from = found.index + found[0].length
    const passage = passages.find((one) => one.mark === mark)
    if (passage === undefined) {
      unknown.push(mark)
      continue
    }
    const claim = claimBefore(answer, claimFrom, found.index)
    const span = spanOf(claim, passage)
    if (span === null) unsupported.push(claim)
    else {
      spans.push({ passage, mark, ...span })
      kept += found[0]
    }
    // Several marks behind one claim are about the same one.
    if (!/^\s?\[\d/.test(answer.slice(from))) claimFrom = from
  }
  return { answer: kept + answer.slice(from), spans, unsupported, unknown }
}

/** The last sentence before a mark, or the quote that stands there. Marks inside it are not part of it. */
function claimBefore(answer: string, from: number, to: number): string {
  const text = answer.slice(from, to).replaceAll(MARK, '').trim()
  if (QUOTE_BEFORE.test(text)) return text
  return splitSentences(text).at(-1)?.text ?? text
}

function spanOf(claim: string, passage: CitablePassage): Pick<CitedSpan<never>, 'start' | 'end' | 'quote'> | null {
  const quoted = QUOTE_BEFORE.exec(claim)?.[1]
  if (quoted !== undefined) {
    const at = passage.text.indexOf(quoted)
    return at < 0 ? null : { start: passage.start + at, end: passage.start + at + quoted.length, quote: quoted }
  }
  const [nearest] = quoteFrom(claim, [passage], { most: 1, minCoverage: 0 }).quotes
  if (nearest === undefined) return null
  for (const [from, to] of windowsAround(passage, nearest.start - passage.start)) {
    const quote = passage.text.slice(from, to)
    if (checkClaim(claim, quote).supported) return { start: passage.start + from, end: passage.start + to, quote }
  }
  return null
}

/** The sentence there, then with the one before (which says who `it` is), with the one behind, and with both. */
function windowsAround({ text }: CitablePassage, place: number): (readonly [from: number, to: number])[] {
  const sentences = splitSentences(text)
  const at = sentences.findIndex(({ start, end }) => start <= place && place < end)
  const one = sentences[at]
  if (one === undefined) return []
  const before = sentences[at - 1] ?? one
  const behind = sentences[at + 1] ?? one
  return [
    [one.start, one.end],
    [before.start, one.end],
    [one.start, behind.end],
    [before.start, behind.end],
  ]
}
