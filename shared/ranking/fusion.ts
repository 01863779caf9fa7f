import type { Hit } from './search-index.ts'

/**
 * One list of several. Legs of unlike strength are added after each is scaled to 0..1 over its own list (min-max, as in
 * Lee, "Analyses of multiple evidence combination", SIGIR 1997): a weak leg then cannot outvote a clear one. Legs of like
 * strength are fused by rank (Cormack, Clarke, Büttcher, "Reciprocal rank fusion", SIGIR 2009) with k said outright.
 */
export type Fusion =
  | { readonly kind: 'weighted'; readonly keyword: number; readonly vector: number }
  | { readonly kind: 'rrf'; readonly k: number }

/** For the builtin vectors beside keywords. */
export const WEIGHTED: Fusion = { kind: 'weighted', keyword: 0.7, vector: 0.3 }
/** For a model's vectors beside keywords; 60 is the value of the paper. */
export const RANKED: Fusion = { kind: 'rrf', k: 60 }

export interface Fused {
  readonly id: string
  readonly score: number
  /** Score and rank (from 1) in each leg, null where the leg did not find it. */
  readonly keyword: Placed | null
  readonly vector: Placed | null
}

export interface Placed {
  readonly score: number
  readonly rank: number
  /** Scaled over its list, for a weighted fusion; the reciprocal of rank + k otherwise. */
  readonly share: number
}

/** Best first, scores from 0 to 1; equal scores in the order of the ids, so that the same search gives the same list. */
export function fuse(keyword: readonly Hit[], vector: readonly Hit[], limit: number, fusion: Fusion): Fused[] {
  const legs = [place(keyword, limit, fusion), place(vector, limit, fusion)] as const
  const weights = fusion.kind === 'weighted' ? ([fusion.keyword, fusion.vector] as const) : ([1, 1] as const)
  const used = legs.map((leg, at) => (leg.size === 0 ? 0 : (weights[at] ?? 0)))
  // A leg that found nothing, or is not there, leaves its weight to the other.
  const total = used.reduce((sum, weight) => sum + weight, 0) * (fusion.kind === 'rrf' ? 1 / (fusion.k + 1) : 1)
  const ids = new Set([...legs[0].keys(), ...legs[1].keys()])
  return [...ids]
    .map((id) => {
      const [one, other] = [legs[0].get(id) ?? null, legs[1].get(id) ?? null]
      const sum = weights[0] * (one?.share ?? 0) + weights[1] * (other?.share ?? 0)
      return { id, score: total === 0 ? 0 : sum / total, keyword: one, vector: other }
    })
    .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
}

function place(hits: readonly Hit[], limit: number, fusion: Fusion): Map<string, Placed> {
  const highest = Math.max(...hits.map((hit) => hit.score))
  // A leg that was not cut off found all there is: what it left out scored nothing.
  const lowest = hits.length < limit ? 0 : Math.min(...hits.map((hit) => hit.score))
  const spread = highest - lowest
  return new Map(
    hits.map((hit, at) => {
      const scaled = spread > 0 ? (hit.score - lowest) / spread : 1
      const share = fusion.kind === 'rrf' ? 1 / (fusion.k + at + 1) : scaled
      return [hit.id, { score: hit.score, rank: at + 1, share }]
    }),
  )
}
