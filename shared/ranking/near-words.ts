/**
 * Whether two words are one but for a slip of the hand: at most one edit for words of MIN_CHARS, two for LONG_CHARS, a swap
 * of neighbours counting as one (optimal string alignment; Damerau, CACM 7/3, 1964). The first letter is nearly always right
 * (Pollock and Zamora, CACM 27/4, 1984), so it must be.
 */
export function isNearWord(one: string, other: string): boolean {
  const most = Math.min(one.length, other.length) >= LONG_CHARS ? 2 : 1
  if (one.length < MIN_CHARS || other.length < MIN_CHARS || one[0] !== other[0]) return false
  if (Math.abs(one.length - other.length) > most || /\d/.test(one + other)) return false
  return editsWithin(one, other, most)
}

const MIN_CHARS = 5
const LONG_CHARS = 8

function editsWithin(one: string, other: string, most: number): boolean {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i]
    let least = i
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1]
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      row.push(edits)
      least = Math.min(least, edits)
    }
    if (least > most) return false
    before = last
    last = row
  }
  return (last[other.length] ?? Infinity) <= most
}
