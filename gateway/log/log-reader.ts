import { EventLog } from '#shared/actor/event-log.ts'
import { PLATFORM } from '#shared/actor/core.ts'
import { WaggleError, coded, refuse } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { delay, systemClock } from '#shared/lib/clock.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import type { Transport } from '#shared/transport/port.ts'
import { parseCursor } from '#shared/wire/cursor.ts'
import type { Heads } from '#shared/wire/cursor.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { encodeName } from '#shared/wire/names.ts'
import { eventSubject } from '#shared/wire/subjects.ts'
import type { Entry, ReadableAudience } from './entry.ts'
import { Feed } from './feed.ts'
import type { FeedHost } from './feed-host.ts'
import { loadFloors } from './floors-book.ts'
import type { Keeper } from './floors-book.ts'
import { Gate } from './gate.ts'
import { Incoming } from './incoming.ts'
import {
  IDLE_CHECK_MS,
  INCARNATION_CHECK_MS,
  MAX_CHECKS,
  MAX_REPLAYS,
  REBORN_WAIT_MS,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
  STALLED_MS,
  SWEEP_MS,
  UNHURRIED_SWEEP_MS,
} from './limits.ts'
import { LiveLane } from './live-lane.ts'
import { isWithin } from './log-life.ts'
import type { LogLife } from './log-life.ts'
import { LogLives } from './log-lives.ts'
import { readPast } from './past.ts'
import { TypedReader } from './reader.ts'
import type { Reader, SnapshotBody } from './reader.ts'
import type { Sink } from './sink.ts'
import { View } from './view.ts'

export interface LogReaderParts {
  readonly transport: Transport
  /** Reaches the keeper of the log on behalf of a tenant. */
  readonly keeper: Keeper
  readonly metrics: Metrics
  readonly clock?: Clock
  readonly random?: () => number
  readonly log?: Logger
}

export interface OpenRequest<E extends Entry> {
  readonly view: View<E>
  readonly conversationId: string
  /** Cursor of the last entry seen. Absent, of another log, ahead of it, or older than it: a snapshot comes first. */
  readonly after: string | undefined
  /** The state now, from the database, as this principal may see it; throws FORBIDDEN or NOT_FOUND. */
  readonly takeSnapshot: () => Promise<SnapshotBody>
  readonly sink: Sink<E>
}

/** A subscription that is ready and silent: say its answer first, then `start`. */
export interface Opening {
  readonly snapshot: Snapshot | null
  /** Entries after this one will follow. */
  readonly cursor: string
  start(): void
  close(): void
}

/**
 * Reads the log for all connections of one gateway process. Owns the live lanes, feeds and readers; what it hands out
 * is in log order, gapless and voided, whichever gateway the cursor came from (I5).
 *
 * Its borders: `transport` (live lanes, stored log), the keeper (incarnation, floors), each reader's sink and snapshot.
 */
export class LogReader {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #random: () => number
  readonly #log: Logger
  readonly #metrics: Metrics
  readonly #events: EventLog
  readonly #lives: LogLives
  readonly #host: FeedHost
  readonly #lanes = new Map<string, LiveLane>()
  readonly #readers = new Set<Reader>()
  readonly #abort = new AbortController()
  #stopListening: (() => void) | null = null
  #connected = true
  #sweep: Cancel | null = null
  #hurried = false
  #comparedAt: number
  #idleCheckedAt: number

  constructor(parts: LogReaderParts) {
    const { transport, keeper, metrics, clock = systemClock, random = Math.random, log = silentLogger } = parts
    this.#transport = transport
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#metrics = metrics
    const events = (this.#events = new EventLog(transport, clock))
    this.#lives = new LogLives({
      events,
      keeper,
      onChange: (life) => this.#beginAnew(life),
      onMove: (tenant) => this.#follow(tenant),
    })
    this.#comparedAt = this.#idleCheckedAt = clock.elapsed()
    this.#host = {
      events,
      clock,
      random,
      log,
      metrics,
      lifeOf: (tenant) => this.#lives.of(tenant),
      replays: new Gate(MAX_REPLAYS),
      checks: new Gate(MAX_CHECKS),
      floors: (tenant, scope, sequence) => loadFloors({ events, keeper }, tenant, scope, sequence),
      restart: (reader, cause, at) => void this.#restart(reader, cause, at),
      idle: (feed) => this.#drop(feed),
      hurry: () => this.#watchOver(true),
    }
    metrics.measure('waggle_log_readers', {}, () => this.#readers.size)
    metrics.measure('waggle_log_scopes', {}, () => this.#feeds().length)
  }

  /** Resolves when it is known which log it is: the keeper may start after this process, and is waited for. */
  async start(): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#lives.learn()
        break
      } catch (error) {
        const waitMs = backoffMs(failures, RETRY_FIRST_MS, RETRY_MAX_MS, this.#random)
        this.#log.warn({ code: coded(error).code, waitMs }, 'The keeper of the log does not answer yet.')
        await delay(this.#clock, waitMs, this.#abort.signal)
      }
    }
    this.#stopListening = this.#transport.onStatus((status) => this.#onStatus(status))
  }

  /** Ends every reader without a word; their owners close the connections. */
  close(): void {
    this.#abort.abort(new WaggleError('LEAVING'))
    this.#stopListening?.()
    this.#sweep?.()
    for (const reader of this.#readers) reader.mode = 'closed'
    this.#readers.clear()
    for (const lane of this.#lanes.values()) {
      for (const feed of lane.all()) feed.close()
      lane.close()
    }
    this.#lanes.clear()
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Throws what `takeSnapshot` throws, or BROKER_DOWN, UNREACHABLE, DEADLINE. */
  async open<E extends Entry>(request: OpenRequest<E>): Promise<Opening> {
    const { view, conversationId, after, takeSnapshot, sink } = request
    const place = await this.#placeOf(view.tenant, after, { conversationId, audiences: view.audiences })
    const reader = new TypedReader(view, sink, conversationId, takeSnapshot)
    let snapshot: Snapshot | null = null
    if (place === null) {
      snapshot = await this.#snapshot(reader, conversationId, takeSnapshot, null)
      this.#metrics.count('waggle_log_snapshots_total', { cause: after === undefined ? 'first' : 'cursor' })
    }
    return this.#opening(reader, snapshot?.cursor ?? after!, snapshot)
  }

  /** The whole tenant, for operators (FORBIDDEN). Without a cursor that is still good: from now on. */
  async watch(request: {
    readonly principal: Principal
    readonly after: string | undefined
    readonly sink: Sink<Entry>
  }): Promise<Opening> {
    const view = View.operator(request.principal)
    const place = await this.#placeOf(view.tenant, request.after, null)
    const life = this.#lives.of(view.tenant)
    const cursor = life.cursor(place ?? (await life.info()).lastSequence)
    return this.#opening(new TypedReader(view, request.sink, null, null), cursor, null)
  }

  /** Proof that the broker answers and the keeper names the log that is read here. Throws what is wrong. */
  async probe(): Promise<void> {
    if (!this.#connected) throw new WaggleError('BROKER_DOWN')
    await this.#lives.of(PLATFORM.tenant).info()
    await this.#lives.compare()
  }

  #opening(reader: Reader, cursor: string, snapshot: Snapshot | null): Opening {
    const { sequence, incarnation } = parseCursor(cursor)!
    reader.position = sequence
    return {
      snapshot,
      cursor,
      start: () => {
        if (reader.mode !== 'opened' || this.#abort.signal.aborted) return
        this.#readers.add(reader)
        // The log may have begun anew since the place was found.
        const life = this.#lives.of(reader.tenant)
        if (incarnation === life.incarnation && life.reborn === null) this.#attach(reader)
        else void this.#restart(reader, 'reborn', null)
      },
      close: () => this.#end(reader),
    }
  }

  /** Where a reader with this cursor goes on; null: it needs a snapshot. */
  async #placeOf(tenant: string, after: string | undefined, seen: Seen | null): Promise<number | null> {
    await this.#lives.of(tenant).reborn
    const cursor = after === undefined ? null : parseCursor(after)
    if (cursor === null) return null
    const isThere = async (): Promise<boolean> => {
      const life = this.#lives.of(tenant)
      return cursor.incarnation === life.incarnation && isWithin(cursor.sequence, await life.info())
    }
    // It may be this process that has not heard yet.
    if (!(await isThere())) {
      if (await this.#lives.compare()) return null
      await this.#lives.of(tenant).reborn
      if (!(await isThere())) return null
    }
    if (seen === null || cursor.heads === undefined) return cursor.sequence
    return (await this.#hasMissed(tenant, cursor.sequence, cursor.heads, seen)) ? null : cursor.sequence
  }

  /** An entry that this reader may see, or that decides what counts, was lost before the one whose cursor it holds. */
  async #hasMissed(
    tenant: string,
    sequence: number,
    heads: Heads,
    { conversationId, audiences }: Seen,
  ): Promise<boolean> {
    const log = this.#events.of(tenant)
    for (const audience of [...audiences, 'sys'] as const) {
      const head = heads[audience]
      if (head >= sequence) continue
      const subject = eventSubject(tenant, encodeName(conversationId), audience)
      const missed = await this.#host.checks.run(async () => {
        const last = (await log.last(subject))?.sequence ?? 0
        if (last <= head) return false
        if (last <= sequence) return true
        const range = { filters: [subject], from: head + 1, signal: this.#abort.signal }
        for await (const next of log.read(range)) return next.sequence <= sequence
        return false
      })
      if (missed) return true
    }
    return false
  }

  /** Sequence first, then the database: what is stored between the two comes again as entries, which fold (I5). */
  async #snapshot(
    { tenant, audiences }: Pick<Reader, 'tenant' | 'audiences'>,
    conversationId: string,
    takeSnapshot: () => Promise<SnapshotBody>,
    at: number | null,
  ): Promise<Snapshot> {
    for (;;) {
      const life = this.#lives.of(tenant)
      await life.reborn
      const { incarnation } = life
      const tail = at ?? (await life.info()).lastSequence
      const body = await takeSnapshot()
      const sequence = body.turns.length === 0 ? tail : await this.#beginningOf(body, tenant, tail)
      const parts = { log: this.#events.of(tenant), incarnation, signal: this.#abort.signal, floors: this.#host.floors }
      const past = audiences.includes('ops')
        ? { past: [...(await this.#host.replays.run(() => readPast(parts, tenant, body, sequence)))] }
        : {}
      if (life === this.#lives.of(tenant) && incarnation === life.incarnation)
        return { ...body, ...past, cursor: life.cursor(sequence) }
      at = null
    }
  }

  /**
   * A turn that is under way has said things that are in no row yet: its text so far. The reader goes on from before the
   * first of the turns that are not over.
   */
  async #beginningOf(
    { conversationId, messages, turns: open }: SnapshotBody,
    tenant: string,
    tail: number,
  ): Promise<number> {
    const turns = new Set<unknown>(open.map(({ turnId }) => turnId))
    const asked = open.map(({ messageId }) => messages.find(({ id }) => id === messageId)?.at ?? 0)
    return await this.#host.replays.run(async () => {
      const filters = [eventSubject(tenant, encodeName(conversationId), 'pub')]
      const log = this.#events.of(tenant)
      const from = await log.placeAt(Math.min(...asked))
      for await (const message of log.read({ filters, from, signal: this.#abort.signal })) {
        if (message.sequence > tail) break
        const event = Incoming.stored(message, tenant)?.event()
        if (event?.type !== 'turn:started' || typeof event.payload !== 'object' || event.payload === null) continue
        if (turns.has(Reflect.get(event.payload, 'turnId'))) return message.sequence - 1
      }
      return tail
    })
  }

  #attach(reader: Reader): void {
    let lane = this.#lanes.get(reader.tenant)
    if (lane === undefined) {
      const { tenant } = reader
      lane = new LiveLane({
        transport: this.#transport,
        events: this.#events,
        tenant,
        look: () => this.#lives.compare(),
        note: (sequence) => this.#lives.of(tenant).note(sequence),
      })
      this.#lanes.set(reader.tenant, lane)
    }
    const scope = reader.conversationId === null ? null : encodeName(reader.conversationId)
    let feed = scope === null ? undefined : lane.feed(scope)
    if (feed === undefined) {
      feed = new Feed(this.#host, lane, scope)
      lane.add(feed)
    }
    reader.base = reader.position
    feed.join(reader)
    this.#watchOver()
  }

  #end(reader: Reader): void {
    reader.mode = 'closed'
    this.#readers.delete(reader)
    reader.feed?.leave(reader)
  }

  #drop(feed: Feed): void {
    feed.close()
    const lane = this.#lanes.get(feed.tenant)
    lane?.remove(feed)
    if (lane?.empty) {
      lane.close()
      this.#lanes.delete(feed.tenant)
    }
  }

  /** Gives a reader a new start: a snapshot and the entries after it. A watcher only gets the entries. */
  async #restart(reader: Reader, cause: string, at: number | null): Promise<void> {
    const { tenant, conversationId, takeSnapshot } = reader
    reader.mode = 'restarting'
    const begun = this.#clock.elapsed()
    this.#metrics.count('waggle_log_snapshots_total', { cause })
    for (let failures = 0; ; failures++) {
      try {
        const life = this.#lives.of(tenant)
        await life.reborn
        const { incarnation } = life
        const snapshot =
          takeSnapshot === null || conversationId === null
            ? null
            : await this.#snapshot(reader, conversationId, takeSnapshot, at)
        const place =
          snapshot === null ? (at ?? (await life.info()).lastSequence) : parseCursor(snapshot.cursor)!.sequence
        if (reader.mode !== 'restarting') return
        const current = snapshot === null ? incarnation : parseCursor(snapshot.cursor)!.incarnation
        const now = this.#lives.of(tenant)
        if (now.reborn !== null || current !== now.incarnation) {
          at = null
          continue
        }
        reader.position = place
        if (snapshot !== null) reader.snapshot(snapshot)
        this.#attach(reader)
        return
      } catch (error) {
        if (reader.mode !== 'restarting') return
        const problem = coded(error)
        if (problem.expected || this.#clock.elapsed() - begun > STALLED_MS) {
          this.#readers.delete(reader)
          reader.fail(problem.expected ? problem : refuse('OVERLOADED', { reason: 'No snapshot can be had.' }))
          return
        }
        this.#log.warn(
          { tenant, conversationId, cause, code: problem.code },
          'A snapshot could not be taken; trying again.',
        )
        await delay(
          this.#clock,
          backoffMs(failures, RETRY_FIRST_MS, RETRY_MAX_MS, this.#random),
          this.#abort.signal,
        ).catch(() => undefined)
      }
    }
  }

  /** The log is another one, or lost its tail: cursors and floors mean nothing any more. */
  #beginAnew(life: LogLife): void {
    life.reborn ??= this.#learnAnew(life).finally(() => {
      life.reborn = null
      for (const reader of this.#readers)
        if (this.#lives.of(reader.tenant) === life && reader.mode !== 'restarting')
          void this.#restart(reader, 'reborn', null)
    })
  }

  async #learnAnew(life: LogLife): Promise<void> {
    const was = life.incarnation
    this.#log.warn({ incarnation: was }, 'A log began anew; all its readers get a snapshot.')
    for (const feed of this.#feeds()) {
      if (this.#lives.of(feed.tenant) !== life) continue
      for (const reader of feed.close()) reader.mode = 'opened'
      this.#drop(feed)
    }
    const begun = this.#clock.elapsed()
    for (let failures = 0; !this.#abort.signal.aborted; failures++) {
      try {
        await this.#lives.learnAgain(life)
        // The keeper may not know yet. If it never finds anything wrong, snapshots under the old name are still right.
        if (life.incarnation !== was || this.#clock.elapsed() - begun > REBORN_WAIT_MS) return
      } catch (error) {
        this.#log.debug({ code: coded(error).code }, 'The log could not be learnt yet.')
      }
      const waitMs = backoffMs(failures, RETRY_FIRST_MS, RETRY_MAX_MS, this.#random)
      await delay(this.#clock, waitMs, this.#abort.signal).catch(() => undefined)
    }
  }

  /** The log of a tenant goes on elsewhere: its readers go on there, from where they are if that is certain. */
  #follow(tenant: string): void {
    const place = this.#events.placeOf(tenant)
    const lane = this.#lanes.get(tenant)
    if (place === null || lane === undefined) return
    this.#log.info({ tenant, stream: place.stream }, 'The log of a tenant has moved.')
    for (const feed of Array.from(lane.all())) {
      feed.flush()
      const { head, doubtful } = feed
      const readers = feed.close()
      this.#drop(feed)
      for (const reader of readers) {
        const inStep = reader.mode === 'in step'
        // It may have been taken further by the tail of the shared log: there is nothing of this tenant behind its end.
        const at = Math.min(inStep ? head : reader.position, place.after)
        reader.position = at
        reader.mode = 'opened'
        // An entry may be missing before the last one it had; and one that waits for room has left some out.
        if (reader.thin || (inStep && doubtful)) void this.#restart(reader, 'moved', null)
        else this.#attach(reader)
      }
    }
  }

  #onStatus(status: 'connected' | 'disconnected'): void {
    this.#connected = status === 'connected'
    for (const feed of this.#feeds()) {
      feed.doubt()
      if (this.#connected) feed.nudge()
    }
    if (this.#connected) this.#comparedAt = -Infinity
  }

  #feeds(): Feed[] {
    return Array.from(this.#lanes.values()).flatMap((lane) => Array.from(lane.all()))
  }

  #watchOver(hurry = false): void {
    if (this.#abort.signal.aborted || this.#lanes.size === 0) return
    if (this.#sweep !== null && (this.#hurried || !hurry)) return
    this.#sweep?.()
    this.#hurried = hurry || this.#feeds().some((feed) => feed.restless)
    const waitMs = this.#hurried ? SWEEP_MS : UNHURRIED_SWEEP_MS
    this.#sweep = this.#clock.setTimeout(() => {
      this.#sweep = null
      const now = this.#clock.elapsed()
      for (const feed of this.#feeds()) feed.sweep(now)
      if (now - this.#comparedAt >= INCARNATION_CHECK_MS) {
        this.#comparedAt = now
        this.#lives
          .compare()
          .catch((error: unknown) => this.#log.debug({ code: coded(error).code }, 'The keeper does not answer.'))
      }
      if (now - this.#idleCheckedAt >= IDLE_CHECK_MS) {
        this.#idleCheckedAt = now
        void this.#checkIdle(now)
      }
      this.#watchOver()
    }, waitMs)
  }

  /** Also a lone entry of a quiet scope may be lost on the live lane. When nothing was stored since the last look, none was. */
  async #checkIdle(now: number): Promise<void> {
    try {
      for (const life of new Set([...this.#lanes.keys()].map((tenant) => this.#lives.of(tenant)))) {
        const { lastSequence } = await life.info()
        if (lastSequence === life.idleTail) continue
        let all = true
        for (const feed of this.#feeds()) {
          if (this.#lives.of(feed.tenant) !== life) continue
          if (now - feed.checkedAt >= IDLE_CHECK_MS) await feed.check()
          else all = false
        }
        // One that was compared a moment ago may have lost something since.
        if (all) life.idleTail = lastSequence
      }
    } catch (error) {
      this.#log.debug({ code: coded(error).code }, 'The tail of the log could not be asked for.')
    }
  }
}

/** What a cursor was given out for. */
interface Seen {
  readonly conversationId: string
  readonly audiences: readonly ReadableAudience[]
}
