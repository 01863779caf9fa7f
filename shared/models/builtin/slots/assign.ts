/** One way to fill one slot: a row, a value, and the place in the text it would use up. */
export interface Offer<V> {
  readonly row: number
  readonly value: V
  readonly score: number
  readonly start: number
  readonly end: number
}

/**
 * Gives each row at most one offer and each place in the text to at most one row, so that the sum of scores is largest
 * (the assignment problem: Kuhn 1955, Munkres 1957, in the form with potentials). Offers below their row's floor are
 * not taken. Between equals the earlier slot takes the earlier place, which is how people list things.
 */
export function assign<V>(
  offers: readonly Offer<V>[],
  floor: (row: number) => number,
  required: (row: number) => boolean,
): Map<number, Offer<V>> {
  const able = offers.filter((offer) => offer.score >= floor(offer.row))
  const barred = new Set<Offer<V>>()
  for (let round = 0; ; round += 1) {
    const taken = best(
      able.filter((offer) => !barred.has(offer)),
      (offer) => (required(offer.row) ? FILLED : -floor(offer.row)),
    )
    const clash = round < MAX_ROUNDS ? overlapping([...taken.values()]) : null
    if (clash === null) return round < MAX_ROUNDS ? taken : withoutOverlap(taken)
    barred.add(clash)
  }
}

/** Overlapping spans are different columns; each round bars the weaker of two that clash. */
const MAX_ROUNDS = 24
const ORDER_COST = 0.004
/** What filling a required slot is worth at all: two filled beat one filled better. An optional one is worth its surplus. */
const FILLED = 1

function overlapping<V>(taken: readonly Offer<V>[]): Offer<V> | null {
  for (const [i, one] of taken.entries()) {
    for (const other of taken.slice(i + 1)) {
      if (one.start < other.end && one.end > other.start) return one.score < other.score ? one : other
    }
  }
  return null
}

function withoutOverlap<V>(taken: Map<number, Offer<V>>): Map<number, Offer<V>> {
  const kept: [number, Offer<V>][] = []
  for (const entry of [...taken].toSorted((a, b) => b[1].score - a[1].score)) {
    if (!kept.some(([, other]) => entry[1].start < other.end && entry[1].end > other.start)) kept.push(entry)
  }
  return new Map(kept)
}

function best<V>(offers: readonly Offer<V>[], bonus: (offer: Offer<V>) => number): Map<number, Offer<V>> {
  const rows = [...new Set(offers.map((offer) => offer.row))].toSorted((a, b) => a - b)
  const places = [...new Set(offers.map((offer) => `${offer.start}:${offer.end}`))]
  const starts = new Map(places.map((place) => [place, Number(place.split(':')[0])]))
  const columns = places.toSorted((a, b) => (starts.get(a) ?? 0) - (starts.get(b) ?? 0))
  const rowAt = new Map(rows.map((row, at) => [row, at]))
  const columnAt = new Map(columns.map((place, at) => [place, at]))
  // A row may stay empty: each has a column of its own that is worth nothing.
  const width = columns.length + rows.length
  const worth = rows.map(() => Array.from({ length: width }, (_, at): number => (at < columns.length ? IMPOSSIBLE : 0)))
  const cell = new Map<number, Offer<V>>()
  for (const offer of offers) {
    const row = rowAt.get(offer.row) ?? 0
    const column = columnAt.get(`${offer.start}:${offer.end}`) ?? 0
    const value = offer.score + bonus(offer) - ORDER_COST * Math.abs(row - column) - ORDER_COST * row
    const line = worth[row]
    if (line === undefined || value <= (line[column] ?? 0)) continue
    line[column] = value
    cell.set(row * width + column, offer)
  }
  const taken = new Map<number, Offer<V>>()
  for (const [row, column] of matchRows(worth, width).entries()) {
    const offer = cell.get(row * width + column)
    if (offer !== undefined) taken.set(offer.row, offer)
  }
  return taken
}

const IMPOSSIBLE = -1e6

/** The column of each row, for the largest sum. */
function matchRows(worth: readonly (readonly number[])[], width: number): number[] {
  const height = worth.length
  const u = new Float64Array(height + 1)
  const v = new Float64Array(width + 1)
  const owner = new Int32Array(width + 1)
  const way = new Int32Array(width + 1)
  for (let row = 1; row <= height; row += 1) {
    owner[0] = row
    let column = 0
    const least = new Float64Array(width + 1).fill(Number.POSITIVE_INFINITY)
    const seen = new Uint8Array(width + 1)
    do {
      seen[column] = 1
      const at = owner[column] ?? 0
      let delta = Number.POSITIVE_INFINITY
      let next = 0
      for (let j = 1; j <= width; j += 1) {
        if (seen[j] === 1) continue
        const cost = -(worth[at - 1]?.[j - 1] ?? IMPOSSIBLE) - (u[at] ?? 0) - (v[j] ?? 0)
        if (cost < (least[j] ?? 0)) {
          least[j] = cost
          way[j] = column
        }
        if ((least[j] ?? 0) < delta) {
          delta = least[j] ?? 0
          next = j
        }
      }
      for (let j = 0; j <= width; j += 1) {
        if (seen[j] === 1) {
          const held = owner[j] ?? 0
          u[held] = (u[held] ?? 0) + delta
          v[j] = (v[j] ?? 0) - delta
        } else least[j] = (least[j] ?? 0) - delta
      }
      column = next
    } while ((owner[column] ?? 0) !== 0)
    do {
      const before = way[column] ?? 0
      owner[column] = owner[before] ?? 0
      column = before
    } while (column !== 0)
  }
  const columns = Array.from({ length: height }, () => -1)
  for (let j = 1; j <= width; j += 1) {
    const row = owner[j] ?? 0
    if (row > 0) columns[row - 1] = j - 1
  }
  return columns
}
