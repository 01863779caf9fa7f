import type { Entry } from './entry.ts'
import type { Reader } from './reader.ts'

/** The readers of a feed that are in step with it: each room is written to once, whoever has none by itself. */
export class FanOut {
  readonly #alone = new Set<Reader>()
  readonly #rooms = new Map<string, Set<Reader>>()

  add(reader: Reader): void {
    reader.enter()
    if (reader.room === null) this.#alone.add(reader)
    else {
      const members = this.#rooms.get(reader.room)
      if (members) members.add(reader)
      else this.#rooms.set(reader.room, new Set([reader]))
    }
  }

  remove(reader: Reader): boolean {
    if (reader.room === null) {
      if (!this.#alone.delete(reader)) return false
    } else {
      const members = this.#rooms.get(reader.room)
      if (!members?.delete(reader)) return false
      if (members.size === 0) this.#rooms.delete(reader.room)
    }
    reader.leave()
    return true
  }

  send(entries: readonly Entry[]): void {
    for (const members of this.#rooms.values()) {
      for (const any of members) {
        any.send(entries)
        break
      }
    }
    for (const reader of this.#alone) reader.send(entries)
  }

  *all(): Iterable<Reader> {
    yield* this.#alone
    for (const members of this.#rooms.values()) yield* members
  }
}
