import type { LogEntry } from '#shared/contracts/client.ts'
import { isAfter } from './after-cursor.ts'

/** Scopes remembered; those longest unheard are forgotten first (I11). */
const SCOPES_MAX = 5000

/**
 * What a reader of many scopes has seen of each. Order is promised within a scope only, so one cursor for all would
 * take the late entry of one scope for a duplicate because another is ahead.
 */
export class ScopeCursors {
  readonly #seen = new Map<string, string>()

  /** True the first time; remembers it. */
  isNew(entry: LogEntry): boolean {
    const { conversationId, cursor } = entry
    if (!isAfter(cursor, this.#seen.get(conversationId) ?? null)) return false
    this.#seen.delete(conversationId)
    this.#seen.set(conversationId, cursor)
    if (this.#seen.size > SCOPES_MAX) {
      const [oldest] = this.#seen.keys()
      if (oldest !== undefined) this.#seen.delete(oldest)
    }
    return true
  }
}
