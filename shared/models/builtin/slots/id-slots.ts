import type { Reading } from '../facts/reading.ts'
import { cueScore, cueWeights } from './cue-score.ts'
import type { Filling } from './filling.ts'
import { fitsPattern } from './pattern.ts'
import type { Place } from './spans.ts'

/** Ids with a pattern: any token of the message that fits it whole, nearest to the slot's cue. */
export function fillPatterns(filling: Filling): void {
  const { reading, leaves } = filling
  const weights = cueWeights(leaves)
  for (const leaf of leaves) {
    const { pattern } = leaf.slot
    if (pattern === null || leaf.slot.type !== 'string' || filling.has(leaf)) continue
    const fitting = tokensOf(reading)
      .filter((token) => filling.isFree(token))
      .map((token) => ({ ...token, text: fitted(pattern, token.text) }))
      .filter((token): token is Place & { text: string } => token.text !== null)
      .map((token) => ({
        token,
        score: cueScore(reading, leaf, weights, token, []) + (/\d/.test(token.text) ? 0.3 : 0),
      }))
      .toSorted((a, b) => b.score - a.score || a.token.start - b.token.start)
    const best = fitting[0]
    if (best === undefined) continue
    filling.take(leaf, best.token.text, best.token)
  }
}

/** As written, without a leading `#`, or in the other case: people type `ord-1042` for `ORD-1042`. */
function fitted(pattern: string, said: string): string | null {
  for (const form of [said, said.replace(/^#/, ''), said.toUpperCase(), said.toLowerCase()]) {
    if (fitsPattern(pattern, form) === true) return form
  }
  return null
}

function tokensOf(reading: Reading): (Place & { text: string })[] {
  const tokens = [...reading.text.matchAll(/[^\s,;:!?"'()]+/g)].map((match) => {
    const text = match[0].replace(/\.+$/, '')
    return { start: match.index, end: match.index + text.length, text }
  })
  return [...tokens, ...reading.quoted, ...reading.codes]
}

/** A string slot that is an id takes a bare number too, and a string slot for a year takes the year. */
export function fillNumberedIds(filling: Filling): void {
  const { reading, leaves } = filling
  const weights = cueWeights(leaves)
  for (const leaf of leaves) {
    if (filling.has(leaf) || leaf.slot.type !== 'string' || leaf.slot.pattern !== null || leaf.slot.choices !== null)
      continue
    const yearly = leaf.nameWords.includes('year') || leaf.nameWords.includes('season')
    const idLike = leaf.role === 'id' || leaf.nameWords.includes('number')
    if (!idLike && !yearly) continue
    const offers = reading.numbers
      .filter((fact) => fact.unit === null && fact.currency === null && filling.isFree(fact))
      .filter((fact) => !yearly || (fact.value >= 1000 && fact.value <= 2200))
      .filter((fact) => yearly || fact.part !== 'date')
      .map((fact) => ({ fact, score: cueScore(reading, leaf, weights, fact, []) }))
      .toSorted((a, b) => b.score - a.score || a.fact.start - b.fact.start)
    const best = offers[0]
    if (best === undefined || (best.score < 0.3 && !leaf.required)) continue
    const code = reading.codes.find((fact) => fact.start <= best.fact.start && fact.end >= best.fact.end)
    filling.take(leaf, code === undefined ? best.fact.text : code.text.replace(/^#/, ''), code ?? best.fact)
  }
}
