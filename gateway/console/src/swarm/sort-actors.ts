import type { ActorView } from '#gateway/client/conversation-state.ts'
import { isAtRest } from '#gateway/client/fold-actors.ts'

/** Kinds in the order in which a message meets them; others follow by name. */
const ORDER = ['supervisor', 'route', 'agent', 'run', 'guardrail', 'tool', 'model']

/** Those at work first, by kind and key: a row stays where it is while its actor works. Then those at rest, latest first. */
export function sortActors(actors: readonly ActorView[]): readonly ActorView[] {
  return actors.toSorted(
    (a, b) =>
      Number(isAtRest(a.state)) - Number(isAtRest(b.state)) ||
      (isAtRest(a.state) ? b.at - a.at : 0) ||
      rank(a.kind) - rank(b.kind) ||
      a.kind.localeCompare(b.kind) ||
      a.key.localeCompare(b.key),
  )
}

function rank(kind: string): number {
  const at = ORDER.indexOf(kind)
  return at === -1 ? ORDER.length : at
}
