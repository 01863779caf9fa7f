import type { Leaf } from './leaf.ts'

/**
 * Slots that differ by a number or a single letter only (`side1 side2`, `x y`, `first_name_a`): words around a value
 * cannot tell them apart, so values go to them in the order of the text.
 */
export function orderTwins<T extends { start: number }>(
  leaves: readonly Leaf[],
  taken: Map<number, T>,
  isNamed: (value: T) => boolean = () => false,
): void {
  const families = new Map<string, number[]>()
  for (const row of [...taken.keys()].toSorted((a, b) => a - b)) {
    const leaf = leaves[row]
    const family = leaf === undefined ? null : familyOf(leaf)
    if (family !== null) families.set(family, [...(families.get(family) ?? []), row])
  }
  for (const rows of families.values()) {
    const values = rows.map((row) => taken.get(row)).filter((value): value is T => value !== undefined)
    // `b = 5, a = 2` says itself which is which.
    if (values.some(isNamed)) continue
    values.sort((a, b) => a.start - b.start)
    for (const [i, row] of rows.entries()) {
      const value = values[i]
      if (value !== undefined) taken.set(row, value)
    }
  }
}

const ORDINALS = /^(?:\d+|first|second|third|fourth|one|two|three|[a-z])$/

function familyOf(leaf: Leaf): string | null {
  const told = leaf.nameWords.filter((word) => ORDINALS.test(word))
  if (told.length === 0) return null
  const kind = leaf.nameWords.filter((word) => !ORDINALS.test(word)).join(' ')
  return `${leaf.path.slice(0, -1).join('.')}|${leaf.slot.type === 'string' ? 's' : 'n'}|${kind}`
}
