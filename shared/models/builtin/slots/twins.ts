import type { Offer } from './assign.ts'
import type { Leaf } from './leaf.ts'

/** What the words may say against the order of the text before it no longer counts. */
const ORDER_WORTH = 0.8

/**
 * Slots that differ by a number or a single letter only (`side1 side2`, `x y`): words around a value hardly tell them
 * apart, so values go to them in the order of the text, unless the words do (`b = 5, a = 2`; `3 successes in 10 trials`).
 */
export function orderTwins<V>(
  leaves: readonly Leaf[],
  taken: Map<number, Offer<V>>,
  offers: readonly Offer<V>[],
): void {
  const families = new Map<string, number[]>()
  for (const row of [...taken.keys()].toSorted((a, b) => a - b)) {
    const leaf = leaves[row]
    const family = leaf === undefined ? null : familyOf(leaf)
    if (family !== null) families.set(family, [...(families.get(family) ?? []), row])
  }
  for (const rows of families.values()) {
    if (!isSeries(rows.map((row) => leaves[row]))) continue
    const values = rows.map((row) => taken.get(row)).filter((offer): offer is Offer<V> => offer !== undefined)
    const ordered = values.toSorted((a, b) => a.start - b.start)
    const moved = rows.map((row, i) =>
      offers.find((offer) => offer.row === row && offer.start === ordered[i]?.start && offer.end === ordered[i]?.end),
    )
    const worth = (some: readonly (Offer<V> | undefined)[]): number =>
      some.reduce((sum, offer) => sum + (offer?.score ?? Number.NEGATIVE_INFINITY), 0)
    if (worth(moved) < worth(values) - ORDER_WORTH) continue
    for (const offer of moved) if (offer !== undefined) taken.set(offer.row, offer)
  }
}

/** Single letters are a series when they follow one another: a b c, x y z, but not n k p. */
function isSeries(family: readonly (Leaf | undefined)[]): boolean {
  const letters = family
    .map((leaf) => leaf?.slot.name.toLowerCase() ?? '')
    .filter((name) => /^[a-z]$/.test(name))
    .toSorted()
  return letters.every((letter, i) => i === 0 || letter.charCodeAt(0) === (letters[i - 1]?.charCodeAt(0) ?? 0) + 1)
}

const ORDINALS = /^(?:\d+|first|second|third|fourth|one|two|three|[a-z])$/

function familyOf(leaf: Leaf): string | null {
  const told = leaf.nameWords.filter((word) => ORDINALS.test(word))
  if (told.length === 0) return null
  const kind = leaf.nameWords.filter((word) => !ORDINALS.test(word)).join(' ')
  return `${leaf.path.slice(0, -1).join('.')}|${leaf.slot.type === 'string' ? 's' : 'n'}|${kind}`
}
