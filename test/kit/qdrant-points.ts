/** One collection of the check server: points, their payload, filters and scores, as Qdrant documents them. */
export interface StoredPoint {
  readonly id: string | number
  readonly vectors: Readonly<Record<string, Float32Array>>
  readonly payload: Readonly<Record<string, unknown>>
}

export interface NamedVector {
  readonly size: number
  readonly distance: 'Dot' | 'Cosine'
  readonly datatype?: 'float32' | 'float16'
}

export interface Filter {
  readonly must?: Condition | readonly Condition[] | null
  readonly should?: Condition | readonly Condition[] | null
  readonly must_not?: Condition | readonly Condition[] | null
}

export type Condition =
  | Filter
  | { readonly has_id: readonly (string | number)[] }
  | {
      readonly key: string
      readonly match: { readonly value: unknown } | { readonly any: readonly unknown[] }
    }

export class Refused extends Error {}

export class QdrantPoints {
  readonly vectors: Readonly<Record<string, NamedVector>>
  /** Payload field -> schema of its index. */
  readonly indexes = new Map<string, unknown>()
  readonly #points = new Map<string, StoredPoint>()

  constructor(vectors: Readonly<Record<string, NamedVector>>) {
    this.vectors = vectors
  }

  get size(): number {
    return this.#points.size
  }

  upsert(
    points: readonly { id: string | number; vector: Record<string, number[]>; payload?: Record<string, unknown> }[],
  ): void {
    const stored = points.map(({ id, vector, payload = {} }) => {
      const vectors = Object.entries(vector).map(([name, values]) => [name, this.#kept(name, values)] as const)
      return { id, vectors: Object.fromEntries(vectors), payload }
    })
    for (const point of stored) this.#points.set(String(point.id), point)
  }

  matching(filter: Filter | null | undefined): StoredPoint[] {
    const all = [...this.#points.values()]
    return filter === null || filter === undefined ? all : all.filter((point) => passes(point, filter))
  }

  delete(selector: { readonly points?: readonly (string | number)[]; readonly filter?: Filter }): void {
    const gone = selector.filter === undefined ? (selector.points ?? []) : this.matching(selector.filter)
    for (const one of gone) this.#points.delete(String(typeof one === 'object' ? one.id : one))
  }

  nearest(
    name: string,
    query: readonly number[],
    filter: Filter | null | undefined,
    limit: number,
  ): { readonly point: StoredPoint; readonly score: number }[] {
    const asked = this.#kept(name, query)
    return this.matching(filter)
      .flatMap((point) => {
        const vector = point.vectors[name]
        return vector === undefined ? [] : [{ point, score: dot(vector, asked) }]
      })
      .toSorted((a, b) => b.score - a.score)
      .slice(0, limit)
  }

  #kept(name: string, values: readonly number[]): Float32Array {
    const vector = this.vectors[name]
    if (vector === undefined) throw new Refused(`Wrong input: Not existing vector name error: ${name}`)
    if (values.length !== vector.size) {
      throw new Refused(`Wrong input: Vector dimension error: expected dim: ${vector.size}, got ${values.length}`)
    }
    const length = vector.distance === 'Cosine' ? Math.hypot(...values) || 1 : 1
    const half = vector.datatype === 'float16'
    return Float32Array.from(values, (value) => (half ? Math.f16round(value / length) : value / length))
  }
}

function passes(point: StoredPoint, filter: Filter): boolean {
  const must = listOf(filter.must)
  const should = listOf(filter.should)
  const mustNot = listOf(filter.must_not)
  return (
    must.every((condition) => holds(point, condition)) &&
    (should.length === 0 || should.some((condition) => holds(point, condition))) &&
    !mustNot.some((condition) => holds(point, condition))
  )
}

function holds(point: StoredPoint, condition: Condition): boolean {
  if ('has_id' in condition) return condition.has_id.includes(point.id)
  if (!('key' in condition)) return passes(point, condition)
  const value = point.payload[condition.key]
  const values = Array.isArray(value) ? value : [value]
  const { match } = condition
  if ('value' in match) return values.includes(match.value)
  if ('any' in match) return values.some((one) => match.any.includes(one))
  throw new Refused(`This server knows no such condition: ${JSON.stringify(condition).slice(0, 100)}`)
}

function listOf(conditions: Condition | readonly Condition[] | null | undefined): readonly Condition[] {
  if (conditions === null || conditions === undefined) return []
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [conditions as Condition]
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (const [at, value] of a.entries()) sum += value * (b[at] ?? 0)
  return sum
}
