import type { Principal } from '#shared/wire/envelope.ts'
import { requireRole } from '#gateway/auth/roles.ts'
import { isPublic } from './entry.ts'
import type { Entry, PublicEntry, ReadableAudience } from './entry.ts'

/**
 * What of the log somebody may see, made of a proved principal and nothing else (I6, I9). The type of the entries goes
 * with it: a sink for customers cannot be joined to an operator's view, nor be handed an operator's entry.
 */
export class View<E extends Entry> {
  readonly tenant: string
  readonly audiences: readonly ReadableAudience[]
  readonly #pick: (entries: readonly Entry[]) => readonly E[]

  private constructor(
    tenant: string,
    audiences: readonly ReadableAudience[],
    pick: (entries: readonly Entry[]) => readonly E[],
  ) {
    this.tenant = tenant
    this.audiences = audiences
    this.#pick = pick
  }

  static customer(principal: Principal): View<PublicEntry> {
    return new View(principal.tenant, ['pub'], (entries) =>
      entries.every(isPublic) ? entries : entries.filter(isPublic),
    )
  }

  /** Throws FORBIDDEN. */
  static operator(principal: Principal): View<Entry> {
    requireRole(principal, 'operator')
    return new View<Entry>(principal.tenant, ['pub', 'ops'], (entries) => entries)
  }

  /** Those of the entries that belong to this view; the same list when all do. */
  pick(entries: readonly Entry[]): readonly E[] {
    return this.#pick(entries)
  }
}
