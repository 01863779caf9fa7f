import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { decodeKey } from '#shared/wire/names.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import type { InboundMessage, StoredMessage } from '#shared/transport/port.ts'

/** An entry as the broker gave it, live or stored. Decoded only when a reader wants it, and then once for all of them. */
export class Incoming {
  /** `<scope>.<audience>`: what the numbers of the live lane are a chain of. */
  readonly lane: string
  readonly scope: string
  readonly audience: Audience
  readonly sequence: number
  /** Sequence of the entry before it in this lane; 0 for the first, and for stored ones, which come in order. */
  readonly previous: number
  /** Live, from a stream of its tenant's own. */
  readonly own: boolean
  readonly #data: Uint8Array
  #event: LogEvent | null | undefined

  private constructor(
    lane: string,
    audience: Audience,
    sequence: number,
    previous: number,
    own: boolean,
    data: Uint8Array,
  ) {
    this.lane = lane
    this.scope = lane.slice(0, lane.lastIndexOf('.'))
    this.audience = audience
    this.sequence = sequence
    this.previous = previous
    this.own = own
    this.#data = data
  }

  /** Null for what is not an entry of the log: somebody published on the live lane by hand. */
  static live(message: InboundMessage, tenant: string): Incoming | null {
    const { subject, sequence, data } = message
    if (sequence === undefined) return null
    const own = subject.startsWith('own.', LIVE_PREFIX + tenant.length)
    const lane = subject.slice(LIVE_PREFIX + tenant.length + (own ? 'own.' : 'ev.').length)
    const audience = audienceOf(lane)
    return audience === null ? null : new Incoming(lane, audience, sequence, message.previous ?? 0, own, data)
  }

  static stored(message: StoredMessage, tenant: string): Incoming | null {
    const lane = message.subject.slice(STORED_PREFIX + tenant.length)
    const audience = audienceOf(lane)
    return audience === null ? null : new Incoming(lane, audience, message.sequence, 0, false, message.data)
  }

  /** Null when it cannot be decoded; it then counts for nothing. */
  event(): LogEvent | null {
    if (this.#event === undefined) {
      try {
        this.#event = decodeEvent(this.#data)
      } catch {
        this.#event = null
      }
    }
    return this.#event
  }

  conversationId(): string {
    return decodeKey(this.scope)[0]!
  }
}

const LIVE_PREFIX = 'live.t..'.length
const STORED_PREFIX = 't..ev.'.length

function audienceOf(lane: string): Audience | null {
  const audience = lane.slice(lane.lastIndexOf('.') + 1)
  return audience === 'pub' || audience === 'ops' || audience === 'sys' ? audience : null
}
