import type { LogEntry } from '#shared/contracts/client.ts'
import { formatCursor } from '#shared/wire/cursor.ts'
import type { Heads } from '#shared/wire/cursor.ts'
import type { LogEvent } from '#shared/wire/event.ts'

/** What can leave this process at all; `sys` entries only move floors. */
export type ReadableAudience = 'pub' | 'ops'

export const TEXT_DELTA = 'text:delta'

/**
 * One entry that counts, in the form in which clients get it. Made once for all its readers; the audience is in the
 * type, so that a reader of `pub` cannot be handed anything else (I6).
 */
export interface Entry<A extends ReadableAudience = ReadableAudience> {
  readonly audience: A
  readonly sequence: number
  readonly wire: LogEntry & { readonly audience: A }
  /** The text form, made once. */
  json(): string
}

export type PublicEntry = Entry<'pub'>

export function isPublic(entry: Entry): entry is PublicEntry {
  return entry.audience === 'pub'
}

export class LogLine<A extends ReadableAudience> implements Entry<A> {
  readonly audience: A
  readonly sequence: number
  readonly wire: LogEntry & { readonly audience: A }
  #json: string | null = null

  constructor(
    audience: A,
    sequence: number,
    incarnation: string,
    conversationId: string,
    event: LogEvent,
    heads?: Heads,
  ) {
    this.audience = audience
    this.sequence = sequence
    this.wire = {
      cursor: formatCursor({ incarnation, sequence, ...(heads === undefined ? {} : { heads }) }),
      conversationId,
      audience,
      id: event.id,
      type: event.type,
      by: event.by,
      at: event.at,
      payload: event.payload,
    }
  }

  json(): string {
    this.#json ??= JSON.stringify(this.wire)
    return this.#json
  }
}
