import type { ActorView } from './conversation-state.ts'
import type { EntryOf } from './known-entry.ts'

export type Actors = Readonly<Record<string, ActorView>>

/** Share of the limit that stays when it was passed, so that not every new actor costs a sort. */
const KEPT_SHARE = 0.9

/** Newest state of each actor, one copy per batch. Beyond `limit` those at rest leave first, then the longest unheard. */
export function foldActors(actors: Actors, entries: readonly EntryOf<'actor:changed'>[], limit: number): Actors {
  if (entries.length === 0) return actors
  const next: Record<string, ActorView> = { ...actors }
  for (const { payload, conversationId, at } of entries) {
    next[`${payload.kind}/${payload.key}`] = { ...payload, conversationId, at }
  }
  const all = Object.entries(next)
  if (all.length <= limit) return next
  const staying = all
    .toSorted(([, a], [, b]) => Number(isAtRest(a.state)) - Number(isAtRest(b.state)) || b.at - a.at)
    .slice(0, Math.floor(limit * KEPT_SHARE))
  return Object.fromEntries(staying)
}

/** Asleep or ended: it holds nothing in memory. */
export function isAtRest(state: string): boolean {
  return state === 'asleep' || state === 'ended'
}
