import { CONTROL_CHANGED } from './event.ts'
import type { LogEvent } from './event.ts'
import type { Audience } from './subjects.ts'

/**
 * The one rule by which every reader of a scope's log decides what counts (I1, I7): read in log order,
 *
 * 1. an entry of an actor with a lower epoch than an earlier entry of the same actor is void: its activation had been
 *    taken over when it spoke;
 * 2. a `pub` entry with a lower control epoch than an earlier `control:changed` is void: somebody else had the voice.
 *    Control 0 means "does not need the voice" and is never voided by it.
 *
 * A reader that starts in the middle loads the floors valid at its cursor first (`raise`). Order is all: no clock is read.
 */
export class Floors {
  readonly #activation = new Map<string, number>()
  #control = 0

  /** True when the entry counts; raises the floors as a side effect, so ask once for each entry, in log order. */
  admit(event: LogEvent, audience: Audience): boolean {
    const floor = this.#activation.get(event.by)
    if (floor !== undefined && event.epoch < floor) return false
    // Before the voice is looked at: an activation that spoke out of turn has begun all the same.
    if (floor === undefined || event.epoch > floor) this.#activation.set(event.by, event.epoch)
    if (audience === 'pub' && event.control !== 0 && event.control < this.#control) return false
    if (event.type === CONTROL_CHANGED && event.control > this.#control) this.#control = event.control
    return true
  }

  /** A floor known from before the first entry that will be read. `who` is an address, or `control`. */
  raise(who: string, epoch: number): void {
    if (who === 'control') this.#control = Math.max(this.#control, epoch)
    else this.#activation.set(who, Math.max(this.#activation.get(who) ?? 0, epoch))
  }
}
