import { WaggleError } from '#shared/errors/waggle-error.ts'

import { MAX_NEAREST } from './vector-store.ts'
import type { VectorHit, VectorScope } from './vector-store.ts'

export function tenantOf(scope: VectorScope): string {
  const tenant = typeof scope === 'string' ? scope : scope.tenant
  if (tenant === '') throw new WaggleError('TENANT_MISSING')
  return tenant
}

export function requireLimit(limit: number): void {
  if (Number.isInteger(limit) && limit > 0 && limit <= MAX_NEAREST) return
  throw new WaggleError('BAD_INPUT', { fields: [`limit: a whole number from 1 to ${MAX_NEAREST}`] })
}

/** Best first; what is equally near in the order of its place, so that the same question has the same answer. */
export function ranked(hits: readonly VectorHit[]): VectorHit[] {
  return hits.toSorted((a, b) => b.score - a.score || a.segment - b.segment || a.ordinal - b.ordinal)
}

export function* batchesOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
