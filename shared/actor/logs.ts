import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import { delay } from '#shared/lib/clock.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { pack, unpack } from '#shared/wire/codec.ts'
import { encodeEvent } from '#shared/wire/event.ts'
import { eventSubject, filters, parseSubject, signalSubject } from '#shared/wire/subjects.ts'
import type { InboundMessage, Subscription } from '#shared/transport/port.ts'
import { PLATFORM } from './core.ts'
import type { HostCore } from './core.ts'
import type { LogPlace } from './event-log.ts'
import { LogKeeper } from './log-keeper.ts'
import type { KeptLog } from './log-keeper.ts'
import type { NodeView } from './membership.ts'
import type { Relay } from './outbox.ts'
import { ANY_EVENT, EVENTS, ownLogSpec, ownStream } from './streams.ts'
import type { StreamOptions } from './streams.ts'

export interface LogsParts {
  readonly core: HostCore
  readonly relay: Relay
  readonly streams: StreamOptions
  readonly nodes: () => readonly NodeView[]
  /** Whether this node is the one that looks after a stream of events. */
  readonly mine: (stream: string) => boolean
}

/**
 * The logs there are, each with its keeper, and the move of a tenant's from the shared stream to one of its own (I5).
 *
 * A move: `askForLog` writes that it shall be. The node that keeps the shared log then has everybody who appends halt:
 * what the tenant says waits in each node, and a node answers when nothing of it is under way. When all living ones have
 * answered, the tail of the shared log is where it ends, and where the tenant goes on is written down, once. Everybody
 * reads that and lets go what waits, into the new stream. Any step may be done again, by whichever node keeps the log then.
 *
 * A node that stood still meanwhile may wake and append to the shared log. Nobody reads that; and the store marks no row
 * whose events went to a log that was not the tenant's then, so it is said again where it is (`Relay`).
 */
export class Logs {
  readonly #parts: LogsParts
  readonly #core: HostCore
  readonly #keepers = new Map<string, LogKeeper>()
  readonly #end = new AbortController()
  #signal: Subscription | null = null
  #next: Cancel | null = null
  #looking: Promise<void> | null = null
  /** One reading at a time. */
  #learning: Promise<unknown> = Promise.resolve()

  constructor(parts: LogsParts) {
    this.#parts = parts
    this.#core = parts.core
  }

  /** Throws where the store or the broker does not answer. */
  async open(): Promise<void> {
    const { transport } = this.#core
    // First heard, then read: a move that begins now is seen in one way or the other.
    this.#signal = transport.subscribe(filters.signals(SIGNALS), (message) => void this.#onSignal(message))
    await transport.flush()
    await this.#keep(EVENTS, {
      filter: ANY_EVENT,
      log: () => this.#core.events.shared,
      holds: (tenant) => this.#core.events.placeOf(tenant) === null,
      // Of one that is being moved, it cannot be said where its lost facts should be.
      settled: () => this.#core.events.halted.length === 0,
    })
    await this.#learn()
    this.#lookIn(CHECK_MS)
  }

  close(): void {
    this.#end.abort(new WaggleError('LEAVING'))
    this.#next?.()
    this.#signal?.unsubscribe()
    for (const keeper of this.#keepers.values()) keeper.close()
    this.#core.events.close()
  }

  /** Of the shared log. */
  get incarnation(): string {
    return this.#keepers.get(EVENTS)?.incarnation ?? ''
  }

  /** Those of single tenants, as they are now. */
  async own(): Promise<readonly (LogPlace & { readonly incarnation: string })[]> {
    // Whoever asks may have heard more than this node has.
    if (this.#core.events.halted.length > 0) await this.#learn()
    return [...this.#core.events.places()].flatMap((place) => {
      const incarnation = this.#keepers.get(place.stream)?.incarnation
      return incarnation === undefined ? [] : [{ ...place, incarnation }]
    })
  }

  /** Remembers that a tenant shall get a log of its own; it has one soon, or has it already. */
  async askFor(tenant: string): Promise<void> {
    await this.#core.store.askForLog(tenant)
    this.#core.transport.publish(signalSubject(PLATFORM.tenant, SIGNALS, tenant), pack([ASKED]))
  }

  async #keep(stream: string, kept: Omit<KeptLog, 'stream' | 'mine'>): Promise<void> {
    const { relay, mine } = this.#parts
    const keeper = new LogKeeper(this.#core, relay, { ...kept, stream, mine: () => mine(stream) })
    await keeper.open()
    if (this.#end.signal.aborted) keeper.close()
    else this.#keepers.set(stream, keeper)
  }

  #lookIn(ms: number): void {
    this.#next?.()
    if (this.#end.signal.aborted) return
    this.#next = this.#core.clock.setTimeout(() => void this.#look(), ms)
  }

  #look(): Promise<void> {
    this.#looking ??= (async () => {
      let again = CHECK_MS
      try {
        const due = await this.#learn()
        if (this.#parts.mine(EVENTS)) for (const tenant of due) await this.#move(tenant)
      } catch (error) {
        this.#core.log.debug({ code: coded(error).code }, 'the places of logs could not be looked after; later')
      }
      if (this.#core.events.halted.length > 0) again = HALTED_CHECK_MS
      this.#looking = null
      this.#lookIn(again)
    })()
    return this.#looking
  }

  /** Reads what is written down, and goes by it. Tenants that are to be moved are returned, and halted. */
  #learn(): Promise<readonly string[]> {
    const learnt = this.#learning.then(() => this.#read())
    this.#learning = learnt.catch(() => undefined)
    return learnt
  }

  async #read(): Promise<readonly string[]> {
    const { events, store, transport } = this.#core
    const { halted } = events
    events.incarnation = (await store.logMark(EVENTS))?.incarnation ?? ''
    const rows = await store.logPlaces()
    const due: string[] = []
    for (const { tenant, place } of rows) {
      if (place === null) {
        due.push(tenant)
        void events.halt(tenant)
        continue
      }
      if (events.placeOf(tenant) === null) {
        await transport.ensureStream(ownLogSpec(tenant, this.#parts.streams))
        // Made anew: what it gets lies above all that was ever read of it.
        await transport.startAt(
          place.stream,
          Math.max(place.from, ((await store.logMark(place.stream))?.sequence ?? 0) + 1),
        )
        events.settle(place)
      }
      if (!this.#keepers.has(place.stream)) {
        await this.#keep(place.stream, {
          filter: filters.eventsOfTenant(tenant),
          log: () => events.of(tenant),
          holds: (other) => other === tenant,
          settled: () => true,
        })
      }
    }
    // Nothing is written of them that they could wait for.
    for (const tenant of halted) if (!rows.some((row) => row.tenant === tenant)) events.resume(tenant)
    return due
  }

  async #onSignal({ subject, data, reply }: InboundMessage): Promise<void> {
    try {
      const parsed = parseSubject(subject)
      const [what] = unpack(data) as unknown[]
      if (parsed.lane !== 'sig' || parsed.tenant !== PLATFORM.tenant) return
      if (what === HALT) {
        const { events, transport, node } = this.#core
        if (events.placeOf(parsed.key) === null) await events.halt(parsed.key)
        transport.publish(reply, pack([node]))
        this.#lookIn(HALTED_CHECK_MS)
      } else {
        await this.#looking
        await this.#look()
      }
    } catch (error) {
      this.#core.log.debug({ subject, code: coded(error).code }, 'a word about a log could not be followed')
    }
  }

  async #move(tenant: string): Promise<void> {
    const { store, transport, clock, log } = this.#core
    const stream = ownStream(tenant)
    await transport.ensureStream(ownLogSpec(tenant, this.#parts.streams))
    if (!(await this.#haltAll(tenant))) return
    const mark = await store.logMark(EVENTS)
    if (mark === null) return
    const { lastSequence: after } = await transport.streamInfo(EVENTS)
    const place: LogPlace = { tenant, stream, after, from: after + GAP, at: clock.now(), shared: mark.incarnation }
    await transport.startAt(stream, place.from)
    const { created, lastSequence } = await transport.streamInfo(stream)
    // Its keeper goes on with looking for lost facts, since the shared log's has last done so.
    await store.saveLogMark(stream, { ...mark, created, sequence: lastSequence })
    if (await store.placeLog({ ...place, from: Math.max(place.from, lastSequence + 1) })) {
      log.info({ tenant, stream, after, from: place.from }, 'a tenant has a log of its own')
      await this.#learn()
      this.#announce(place)
    }
    transport.publish(signalSubject(PLATFORM.tenant, SIGNALS, tenant), pack([GO]))
  }

  /** True when every node that seems alive holds back what this tenant says. */
  async #haltAll(tenant: string): Promise<boolean> {
    const { transport, events, clock, node } = this.#core
    const answered = new Set<string>()
    const inbox = transport.inbox((message) => {
      const [who] = unpack(message.data) as unknown[]
      if (typeof who === 'string') answered.add(who)
    })
    try {
      await events.halt(tenant)
      answered.add(node)
      for (;;) {
        const missing = this.#parts.nodes().filter((view) => view.kinds.length > 0 && !answered.has(view.node))
        if (missing.length === 0) return true
        if (!this.#parts.mine(EVENTS)) return false
        transport.publish(signalSubject(PLATFORM.tenant, SIGNALS, tenant), pack([HALT]), { reply: inbox.subject })
        await delay(clock, ANSWER_MS, this.#end.signal)
      }
    } finally {
      inbox.close()
    }
  }

  /** The first word in it; readers that listen learn by it that it is there. */
  #announce({ tenant, stream, after, at }: LogPlace): void {
    const { events, node, newId, log } = this.#core
    const subject = eventSubject(tenant, SIGNALS, 'ops')
    const head = { id: newId(), type: LOG_MOVED, version: 1, by: `system/${node}`, epoch: 0, control: 0 } as const
    const bytes = encodeEvent({ ...head, at, trace: '', payload: { stream, after } })
    events.append(subject, bytes, { messageId: head.id }).catch((error: unknown) => {
      log.debug({ tenant, code: coded(error).code }, 'the move of a log was not announced')
    })
  }
}

export const LOG_MOVED = 'log:moved'
const SIGNALS = 'log'
const ASKED = 'asked'
const HALT = 'halt'
const GO = 'go'
/** Far more than the shared log takes in before everybody knows. */
const GAP = 2 ** 40
const CHECK_MS = 5_000
const HALTED_CHECK_MS = 500
const ANSWER_MS = 100
