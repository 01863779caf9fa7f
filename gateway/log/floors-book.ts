import type { EventLog } from '#shared/actor/event-log.ts'
import type { Log } from '#shared/contracts/log.ts'
import type { PoolRef } from '#shared/actor/ref.ts'
import { filters } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { Incoming } from './incoming.ts'

export type Keeper = (tenant: string) => PoolRef<(typeof Log)['messages']>

/**
 * Floors valid after a sequence, for a reader that starts in the middle of the log: from the keeper's rows, or, while
 * the place of an opening is not yet known, from the log itself.
 */
export async function loadFloors(
  parts: { readonly events: EventLog; readonly keeper: Keeper },
  tenant: string,
  scope: string,
  sequence: number,
): Promise<Floors> {
  const floors = new Floors()
  if (sequence === 0) return floors
  const known = await parts.keeper(tenant).ask('floors', { scope, sequence })
  if (!known.pending) {
    for (const { who, epoch } of known.floors) floors.raise(who, epoch)
    return floors
  }
  const range = { filters: [filters.eventsOfScope(tenant, scope)], from: 1 }
  for await (const message of parts.events.of(tenant).read(range)) {
    if (message.sequence > sequence) break
    const incoming = Incoming.stored(message, tenant)
    const event = incoming?.event() ?? null
    if (incoming !== null && event !== null) floors.admit(event, incoming.audience)
  }
  // What the log has lost to age is still in the rows.
  for (const { who, epoch } of known.floors) floors.raise(who, epoch)
  return floors
}

/** Floors of many scopes, each loaded when it first speaks; the longest silent are let go beyond `capacity`. */
export class FloorsBook {
  readonly #load: (scope: string, sequence: number) => Promise<Floors>
  readonly #capacity: number
  readonly #pages = new Map<string, Floors>()

  constructor(capacity: number, load: (scope: string, sequence: number) => Promise<Floors>) {
    this.#capacity = capacity
    this.#load = load
  }

  /** Null: to be learnt first. */
  find(scope: string): Floors | null {
    const floors = this.#pages.get(scope)
    if (floors === undefined) return null
    if (this.#capacity > 1) this.#touch(scope, floors)
    return floors
  }

  /** Loads them as they are valid after `sequence`, unless they are known. */
  async learn(scope: string, sequence: number): Promise<Floors> {
    const floors = this.find(scope) ?? (await this.#load(scope, sequence))
    this.set(scope, floors)
    return floors
  }

  set(scope: string, floors: Floors): void {
    this.#touch(scope, floors)
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= this.#capacity) break
      this.#pages.delete(oldest)
    }
  }

  clear(): void {
    this.#pages.clear()
  }

  #touch(scope: string, floors: Floors): void {
    this.#pages.delete(scope)
    this.#pages.set(scope, floors)
  }
}
