import type { Floors } from '#shared/wire/voiding.ts'
import type { Incoming } from './incoming.ts'

/** What became of one entry, before and after the log was read again. `sys` entries are neither: they only move floors. */
export interface Judged {
  readonly incoming: Incoming
  /** It had been handed to the readers in step. */
  readonly before: boolean
  /** It counts. */
  readonly after: boolean
}

/**
 * Judges a stretch of the log again, in its order, when an entry turns up that lies before others that were already
 * taken in (lost on the live lane, and no neighbour of its own audience told of it).
 *
 * @param floors valid before the stretch; raised by it
 * @param wasHanded whether an entry had been handed out
 */
export function judge(
  stretch: readonly Incoming[],
  floors: Floors,
  wasHanded: (incoming: Incoming) => boolean,
): Judged[] {
  return stretch.map((incoming) => {
    const event = incoming.event()
    const counts = event !== null && floors.admit(event, incoming.audience) && incoming.audience !== 'sys'
    return { incoming, before: incoming.audience !== 'sys' && wasHanded(incoming), after: counts }
  })
}

/**
 * Whether a reader that was handed the `before` entries can simply be handed the others now. It cannot when something
 * it was handed is void, or when something it was not handed belongs in front of something it was.
 */
export function staysInOrder(judged: readonly Judged[]): boolean {
  let missing = false
  for (const { before, after } of judged) {
    if (before && !after) return false
    if (!before && after) missing = true
    else if (before && missing) return false
  }
  return true
}
