/**
 * The largest right singular vectors of a sparse matrix, by random projection with power iterations (Halko, Martinsson,
 * Tropp, "Finding structure with randomness", SIAM Review 53/2, 2011, algorithms 4.4 and 5.1). Seeded: the same matrix gives
 * the same vectors on every machine. Dense matrices are lists of columns.
 */
export interface SparseRows {
  readonly columns: number
  /** Row r has the entries from offsets[r], before offsets[r + 1]. */
  readonly offsets: Uint32Array
  readonly at: Uint32Array
  readonly values: Float32Array
}

type Columns = Float32Array[]

/** Columns beyond those wanted, and rounds: what the paper has for spectra that fall slowly, as those of words do. */
const OVERSAMPLED = 8
const POWER_ROUNDS = 1
/** What is left of a column that is a sum of others is noise. */
const DEPENDENT = 1e-5
const CANCELLED = 0.1

/** `rank` columns at most, largest first, of unit length; fewer when the matrix has fewer. */
export function rightSingularVectors(matrix: SparseRows, rank: number, seed: number): Columns {
  const rows = matrix.offsets.length - 1
  const width = Math.min(rank + OVERSAMPLED, rows, matrix.columns)
  if (width === 0) return []
  const gauss = gaussian(seed)
  const random = Array.from({ length: width }, () => Float32Array.from({ length: matrix.columns }, gauss))
  let range = orthonormal(times(matrix, random))
  for (let round = 0; round < POWER_ROUNDS; round += 1)
    range = orthonormal(times(matrix, orthonormal(transposedTimes(matrix, range))))
  const projected = transposedTimes(matrix, range)
  const { values, vectors } = symmetricEigen(products(projected))
  const largest = [...values.keys()].toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0))
  const floor = (values[largest[0] ?? 0] ?? 0) * DEPENDENT
  return largest
    .filter((at) => (values[at] ?? 0) > floor)
    .slice(0, rank)
    .map((at) => combined(projected, vectors[at] ?? new Float64Array(), 1 / Math.sqrt(values[at] ?? 1)))
}

function times({ offsets, at, values }: SparseRows, columns: Columns): Columns {
  return columns.map((column) => {
    const product = new Float32Array(offsets.length - 1)
    for (let row = 0; row < product.length; row += 1) {
      let sum = 0
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry += 1) sum += values[entry]! * column[at[entry]!]!
      product[row] = sum
    }
    return product
  })
}

function transposedTimes({ columns: length, offsets, at, values }: SparseRows, columns: Columns): Columns {
  return columns.map((column) => {
    const product = new Float32Array(length)
    for (let row = 0; row < column.length; row += 1) {
      const scale = column[row]!
      if (scale === 0) continue
      for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry += 1)
        product[at[entry]!] = product[at[entry]!]! + values[entry]! * scale
    }
    return product
  })
}

/** Modified Gram-Schmidt; a column that lost most of itself is done again. One that depends on others is left out. */
function orthonormal(columns: Columns): Columns {
  const kept: Columns = []
  for (const column of columns) {
    const before = Math.sqrt(dot(column, column))
    for (const other of kept) subtract(column, other, dot(column, other))
    let norm = Math.sqrt(dot(column, column))
    if (norm < before * CANCELLED) {
      for (const other of kept) subtract(column, other, dot(column, other))
      norm = Math.sqrt(dot(column, column))
    }
    if (before === 0 || norm < before * DEPENDENT) continue
    for (let i = 0; i < column.length; i += 1) column[i] = column[i]! / norm
    kept.push(column)
  }
  return kept
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let i = 0; i < one.length; i += 1) sum += one[i]! * other[i]!
  return sum
}

function subtract(from: Float32Array, what: Float32Array, scale: number): void {
  for (let i = 0; i < from.length; i += 1) from[i] = from[i]! - scale * what[i]!
}

function combined(columns: Columns, weights: Float64Array, scale: number): Float32Array {
  const sum = new Float32Array(columns[0]?.length ?? 0)
  for (const [at, column] of columns.entries()) subtract(sum, column, -scale * (weights[at] ?? 0))
  return sum
}

function products(columns: Columns): Float64Array[] {
  const result = columns.map(() => new Float64Array(columns.length))
  for (let i = 0; i < columns.length; i += 1)
    for (let j = 0; j <= i; j += 1) result[i]![j] = result[j]![i] = dot(columns[i]!, columns[j]!)
  return result
}

const MAX_SWEEPS = 30
/** Of the squares; the vectors are then good to more digits than a model keeps. */
const OFF_DIAGONAL = 1e-12

/** Cyclic Jacobi rotations (Golub and Van Loan, "Matrix computations", 8.5). `vectors[i]` belongs to `values[i]`; changes `matrix`. */
function symmetricEigen(matrix: Float64Array[]): { values: Float64Array; vectors: Float64Array[] } {
  const size = matrix.length
  const vectors = matrix.map((_, at) => Float64Array.from({ length: size }, (_value, i) => (i === at ? 1 : 0)))
  const trace = matrix.reduce((sum, row, at) => sum + (row[at] ?? 0) ** 2, 0)
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
    let off = 0
    for (let p = 0; p < size; p += 1) for (let q = p + 1; q < size; q += 1) off += matrix[p]![q]! ** 2
    if (off <= OFF_DIAGONAL * trace) break
    for (let p = 0; p < size; p += 1) for (let q = p + 1; q < size; q += 1) rotate(matrix, vectors, p, q)
  }
  return { values: Float64Array.from(matrix, (row, at) => row[at] ?? 0), vectors }
}

function rotate(matrix: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const [rowP, rowQ] = [matrix[p]!, matrix[q]!]
  const between = rowP[q]!
  if (between === 0) return
  const theta = (rowQ[q]! - rowP[p]!) / (2 * between)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  turn(rowP, rowQ, c, s)
  for (let at = 0; at < matrix.length; at += 1) {
    const row = matrix[at]!
    const a = row[p]!
    const b = row[q]!
    row[p] = c * a - s * b
    row[q] = s * a + c * b
  }
  turn(vectors[p]!, vectors[q]!, c, s)
}

function turn(one: Float64Array, other: Float64Array, c: number, s: number): void {
  for (let i = 0; i < one.length; i += 1) {
    const a = one[i]!
    const b = other[i]!
    one[i] = c * a - s * b
    other[i] = s * a + c * b
  }
}

/** Box and Muller over mulberry32. */
function gaussian(seed: number): () => number {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
