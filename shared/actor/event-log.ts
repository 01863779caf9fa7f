import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Appended, StoredMessage, Transport } from '#shared/transport/port.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { EVENTS } from './streams.ts'

/** Where a tenant's log is, when it has one of its own: up to `after` in the shared one, from `from` on in `stream`. */
export interface LogPlace {
  readonly tenant: string
  readonly stream: string
  /** The tail of the shared log when it moved. */
  readonly after: number
  /**
   * First sequence in its own stream, far above `after`. No entry is between them, so that a cursor from there, given out
   * by somebody who had not heard of the move and went by the tail of the shared log, is known for what it is.
   */
  readonly from: number
  /** Milliseconds since 1970 at which it moved. */
  readonly at: number
  /** Incarnation of the shared log then. Of another one, nothing before the move can be read. */
  readonly shared: string
}

export interface LogInfo {
  /** Milliseconds; another value means another stream under the same name. */
  readonly created: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** No entry is, or ever was, after the first and before the second. */
  readonly gap: readonly [after: number, before: number] | null
}

/** A log to be read. Sequences grow with time in all of it; subjects are those of `eventSubject`. */
export interface LogView {
  info(): Promise<LogInfo>
  read(range: ReadRange): AsyncIterable<StoredMessage>
  last(subject: string): Promise<StoredMessage | null>
  /** A place before everything that was stored since a time, give or take how clocks differ. A few reads in any log. */
  placeAt(since: number): Promise<number>
}

/** `stream`: whose log it stands in. */
export interface Said extends Appended {
  readonly stream: string
}

export interface ReadRange {
  readonly filters: readonly string[]
  readonly from: number
  readonly signal?: AbortSignal
}

/**
 * The log of events as this process knows it: one stream for all tenants, and one each for those that have moved to their
 * own (`logs.ts`). Everybody else speaks of events by `eventSubject` and does not see the difference.
 *
 * Invariants: what is said of a tenant goes out in the order in which it was handed in, also over a halt; while it is
 * halted nothing of it is under way once `halt` has resolved.
 */
export class EventLog {
  /** Of the shared log, as far as it is known here. */
  incarnation = ''
  readonly shared: LogView
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #places = new Map<string, LogPlace>()
  readonly #halted = new Map<string, Waiting[]>()
  /** Appends to the shared log that are not answered yet, by tenant. */
  readonly #underWay = new Map<string, number>()
  #quiet: (() => void)[] = []
  #closed = false

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
    this.shared = {
      info: async () => ({ ...(await transport.streamInfo(EVENTS)), gap: null }),
      read: (range) => transport.read(EVENTS, range),
      last: (subject) => transport.last(EVENTS, subject),
      placeAt: (since) => this.#firstSince(EVENTS, since),
    }
  }

  /** Null: in the shared log. */
  placeOf(tenant: string): LogPlace | null {
    return this.#places.get(tenant) ?? null
  }

  /** The stream that takes what a tenant says now. */
  streamOf(tenant: string): string {
    return this.#places.get(tenant)?.stream ?? EVENTS
  }

  /** What one tenant has said, wherever it stands. */
  of(tenant: string): LogView {
    const place = this.#places.get(tenant)
    return place === undefined ? this.shared : this.at(place)
  }

  /** A tenant's log at a place that this process has not settled for yet. */
  at(place: LogPlace): LogView {
    return {
      info: () => this.#info(place),
      read: (range) => this.#read(place, range),
      last: (subject) => this.#last(place, subject),
      placeAt: (since) => this.#placeAt(place, since),
    }
  }

  /** @param options.doubtful it may have been stored by an append whose answer never came */
  append(
    subject: string,
    data: Uint8Array,
    options: { readonly messageId: string; readonly doubtful?: boolean },
  ): Promise<Said> {
    const tenant = tenantOf(subject)
    const send = (): Promise<Said> => this.#send(tenant, subject, data, options)
    const waiting = this.#halted.get(tenant)
    if (waiting === undefined) return send()
    if (this.#closed) return Promise.reject(new WaggleError('LEAVING'))
    if (waiting.length >= HALTED_EVENTS)
      return Promise.reject(new WaggleError('OVERLOADED', { tenant, limit: HALTED_EVENTS }))
    return new Promise((resolve, reject) =>
      waiting.push({ go: () => void send().then(resolve, reject), fail: (error) => reject(error) }),
    )
  }

  /** What a tenant says from now on waits. Resolves when nothing of it is under way any more. */
  async halt(tenant: string): Promise<void> {
    if (!this.#halted.has(tenant)) this.#halted.set(tenant, [])
    while (this.#underWay.has(tenant)) await new Promise<void>((quiet) => this.#quiet.push(quiet))
  }

  places(): Iterable<LogPlace> {
    return this.#places.values()
  }

  /** Tenants whose words wait. */
  get halted(): readonly string[] {
    return [...this.#halted.keys()]
  }

  isHalted(tenant: string): boolean {
    return this.#halted.has(tenant)
  }

  /** Resolves when it is known where its log is; until then nothing tells whether something stands in it. Throws LEAVING. */
  async settled(tenant: string): Promise<void> {
    while (this.#halted.has(tenant)) {
      if (this.#closed) throw new WaggleError('LEAVING')
      await new Promise<void>((resolve, reject) => this.#halted.get(tenant)!.push({ go: resolve, fail: reject }))
    }
  }

  /** Its log is there from now on: what waits goes there. */
  settle(place: LogPlace): void {
    this.#places.set(place.tenant, place)
    this.resume(place.tenant)
  }

  /** Lets go what waits, to where its log is as far as is known. */
  resume(tenant: string): void {
    const waiting = this.#halted.get(tenant) ?? []
    this.#halted.delete(tenant)
    for (const { go } of waiting) go()
  }

  /** What waits will not be said by this process. */
  close(): void {
    this.#closed = true
    const error = new WaggleError('LEAVING')
    for (const waiting of this.#halted.values()) for (const { fail } of waiting.splice(0)) fail(error)
  }

  #send(
    tenant: string,
    subject: string,
    data: Uint8Array,
    { messageId, doubtful = false }: { readonly messageId: string; readonly doubtful?: boolean },
  ): Promise<Said> {
    const place = this.#places.get(tenant)
    if (place === undefined) return this.#counted(tenant, this.#append(EVENTS, subject, data, messageId))
    const send = (): Promise<Said> => this.#append(place.stream, toOwn(subject), data, messageId)
    // The new stream does not know the message ids of the old one.
    if (!doubtful || this.#clock.now() - place.at > DOUBTFUL_MS) return send()
    return this.#wasSaid(place, subject, data).then((said) => said ?? send())
  }

  async #append(stream: string, subject: string, data: Uint8Array, messageId: string): Promise<Said> {
    const { sequence, duplicate } = await this.#transport.append(subject, data, { messageId })
    return { sequence, duplicate, stream }
  }

  #counted(tenant: string, sent: Promise<Said>): Promise<Said> {
    this.#underWay.set(tenant, (this.#underWay.get(tenant) ?? 0) + 1)
    const answered = (): void => {
      const left = (this.#underWay.get(tenant) ?? 1) - 1
      if (left > 0) this.#underWay.set(tenant, left)
      else this.#underWay.delete(tenant)
      if (left === 0 && this.#quiet.length > 0) for (const quiet of this.#quiet.splice(0)) quiet()
    }
    sent.then(answered, answered)
    return sent
  }

  async #wasSaid(place: LogPlace, subject: string, data: Uint8Array): Promise<Said | null> {
    if (!this.#remembers(place)) return null
    const { id, epoch, at } = decodeEvent(data)
    const from = await this.#firstSince(EVENTS, at)
    for await (const said of this.#transport.read(EVENTS, { filters: [subject], from })) {
      if (said.sequence > place.after) break
      const event = decodeEvent(said.data)
      if (event.id === id && event.epoch === epoch)
        return { sequence: said.sequence, duplicate: true, stream: place.stream }
    }
    return null
  }

  /** Whether what it said before it moved can still be read. */
  #remembers(place: LogPlace): boolean {
    return place.shared === this.incarnation
  }

  async #info(place: LogPlace): Promise<LogInfo> {
    const own = await this.#transport.streamInfo(place.stream)
    if (this.#remembers(place)) {
      const { firstSequence } = await this.#transport.streamInfo(EVENTS)
      if (firstSequence <= place.after + 1) return { ...own, firstSequence, gap: [place.after, own.firstSequence] }
    }
    return { ...own, gap: null }
  }

  async *#read(place: LogPlace, { filters, from, signal }: ReadRange): AsyncIterable<StoredMessage> {
    const stop = signal === undefined ? {} : { signal }
    if (from <= place.after && this.#remembers(place)) {
      for await (const message of this.#transport.read(EVENTS, { filters, from, ...stop })) {
        if (message.sequence > place.after) break
        yield message
      }
    }
    const range = { filters: filters.map(toOwn), from: Math.max(from, place.from), ...stop }
    for await (const message of this.#transport.read(place.stream, range)) yield fromOwn(message)
  }

  async #last(place: LogPlace, subject: string): Promise<StoredMessage | null> {
    const own = await this.#transport.last(place.stream, toOwn(subject))
    if (own !== null) return fromOwn(own)
    const before = this.#remembers(place) ? await this.#transport.last(EVENTS, subject) : null
    return before !== null && before.sequence <= place.after ? before : null
  }

  async #placeAt(place: LogPlace, since: number): Promise<number> {
    if (since - CLOCKS_DIFFER_MS <= place.at && this.#remembers(place)) {
      const before = await this.#firstSince(EVENTS, since)
      if (before <= place.after) return before
    }
    return await this.#firstSince(place.stream, since)
  }

  /** By halving. */
  async #firstSince(stream: string, since: number): Promise<number> {
    let { firstSequence: low, lastSequence: high } = await this.#transport.streamInfo(stream)
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const entry = await this.#transport.at(stream, middle)
      if (entry === null || entry.at < since - CLOCKS_DIFFER_MS) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface Waiting {
  readonly go: () => void
  readonly fail: (error: WaggleError) => void
}

export function tenantOf(subject: string): string {
  return subject.slice(2, subject.indexOf('.', 2))
}

/** Of a subject or a filter. */
function toOwn(subject: string): string {
  const lane = subject.indexOf('.', 2)
  return `${subject.slice(0, lane)}.own${subject.slice(lane + '.ev'.length)}`
}

function fromOwn(message: StoredMessage): StoredMessage {
  const { subject } = message
  const lane = subject.indexOf('.', 2)
  return { ...message, subject: `${subject.slice(0, lane)}.ev${subject.slice(lane + '.own'.length)}` }
}

/** The broker's clock stamps entries, ours the ids; they may differ by this much. */
const CLOCKS_DIFFER_MS = 10_000
/** Events of a halted tenant that one process holds back. */
const HALTED_EVENTS = 10_000
/** So long after a move, an append that is tried again is looked for where it may have gone before. Older ones the relay looks for itself. */
const DOUBTFUL_MS = 600_000
