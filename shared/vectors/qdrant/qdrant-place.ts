import { createHash } from 'node:crypto'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { VectorHit, VectorIndex, VectorPart } from '../vector-store.ts'

/** The payload of a point: its place and nothing of the content. */
export interface PlacePayload extends Record<string, unknown> {
  readonly tenant: string
  readonly collection: string
  readonly generation: number
  readonly segment: number
  readonly ordinal: number
}

interface Condition {
  readonly key: string
  readonly match: { readonly value: string | number } | { readonly any: number[] }
}

export interface PlaceFilter extends Record<string, unknown> {
  readonly must: Condition[]
}

/** What every request carries: a filter without a tenant cannot be made. */
export function partFilter(tenant: string, part: VectorPart, segments: readonly number[] | null = null): PlaceFilter {
  const values = { tenant, ...part }
  const must: Condition[] = (['tenant', 'collection', 'generation', 'segment'] as const).flatMap((key) => {
    const value = values[key]
    return value === undefined ? [] : [{ key, match: { value } }]
  })
  if (segments !== null) must.push({ key: 'segment', match: { any: [...new Set(segments)] } })
  return { must }
}

/** The same place has the same id, so that writing it again replaces it. A UUID of version 8: whoever makes it defines it. */
export function pointId({ tenant, collection, generation, segment, ordinal }: PlacePayload): string {
  const place = JSON.stringify([tenant, collection, generation, segment, ordinal])
  const hex = createHash('sha256').update(place).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/**
 * A point as it came back, when it is exactly one of those asked for: its payload says the place and its id is that of the
 * place. Anything else means that the server, a proxy or a cache before it, or somebody else's writing mixed tenants up:
 * INTERNAL for the whole answer, for what else is in it cannot be trusted either.
 */
export function checkedHit(
  point: { readonly id: unknown; readonly score: unknown; readonly payload?: unknown },
  asked: { readonly tenant: string; readonly index: VectorIndex; readonly segments: ReadonlySet<number> | null },
): VectorHit {
  const { id, score, payload } = point
  if (isPlace(payload) && typeof score === 'number' && Number.isFinite(score)) {
    const { index, segments, tenant } = asked
    const fits =
      payload.tenant === tenant &&
      payload.collection === index.collection &&
      payload.generation === index.generation &&
      (segments === null || segments.has(payload.segment)) &&
      id === pointId(payload)
    if (fits) return { segment: payload.segment, ordinal: payload.ordinal, score }
  }
  throw new WaggleError('INTERNAL', { reason: 'The vector store gave a point that was not asked for.' })
}

function isPlace(payload: unknown): payload is PlacePayload {
  if (typeof payload !== 'object' || payload === null) return false
  const { tenant, collection, generation, segment, ordinal } = payload as Record<string, unknown>
  return (
    typeof tenant === 'string' &&
    typeof collection === 'string' &&
    Number.isSafeInteger(generation) &&
    Number.isSafeInteger(segment) &&
    Number.isSafeInteger(ordinal)
  )
}
