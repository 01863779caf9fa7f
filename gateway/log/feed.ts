import type { LogView } from '#shared/actor/event-log.ts'
import { coded, refuse } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { Audience, eventSubject, filters } from '#shared/wire/subjects.ts'
import type { Floors } from '#shared/wire/voiding.ts'
import { LogLine } from './entry.ts'
import type { Entry } from './entry.ts'
import { FanOut } from './fan-out.ts'
import type { FeedHost } from './feed-host.ts'
import { FloorsBook } from './floors-book.ts'
import { Incoming } from './incoming.ts'
import { CHUNK_ENTRIES, HELD_ENTRIES, RETRY_FIRST_MS, RETRY_MAX_MS, STALLED_MS, WATCHED_SCOPES } from './limits.ts'
import type { LiveLane } from './live-lane.ts'
import type { LogLife } from './log-life.ts'
import { Progress } from './progress.ts'
import type { Reader } from './reader.ts'
import { judge, staysInOrder } from './rebuild.ts'

/**
 * The log of one scope (or, for one watcher, of a whole tenant) as it comes in: takes live entries, finds what is
 * missing, voids what does not count, and hands the rest to its readers (I5).
 *
 * Invariants:
 * 1. `#progress` says what was taken in. A live entry whose `previous` lies beyond what its lane has shows a gap.
 * 2. While `#hold` is set, live entries wait in `#buffer`: the feed is cold, has a gap, must learn floors, or the
 *    connection was lost. Whatever is dropped there is read again from the log, which is the buffer of last resort.
 * 3. Every entry passes `Floors.admit` once, in log order, before anything of it goes out (I1, I7). A replay asks
 *    `#progress` for the verdict of then; for what came before this feed, it has floors of its own.
 * 4. One task reads at a time (`#work`): cold start, learning, healing, or one replay for all who wait.
 * 5. A reader is in exactly one of `#joining`, `#atWork` (the readers of the task), `#aside`, `#fanOut`. One in step
 *    has been handed everything up to the head once `flush` has run.
 *
 * A lost entry of one audience whose neighbour of another audience came through is noticed late: by the next of its
 * lane, or by the tail check. Then the stretch since `verified` is judged again (rebuild.ts).
 */
export class Feed {
  readonly tenant: string
  /** Null: the whole tenant, for one reader. */
  readonly scope: string | null
  readonly #host: FeedHost
  readonly #lane: LiveLane
  /** Where the log of its tenant is; when that moves, other feeds take over. */
  readonly #life: LogLife
  readonly #log: LogView
  readonly #filter: string
  readonly #fanOut = new FanOut()
  readonly #joining = new Set<Reader>()
  readonly #aside = new Set<Reader>()
  readonly #floors: FloorsBook
  readonly #progress: Progress
  readonly #abort = new AbortController()
  #atWork: Set<Reader> | null = null
  #cold = true
  #hold = true
  #mustHeal = false
  readonly #unlearnt = new Map<string, number>()
  #buffer: Incoming[] = []
  /** What was taken in since the replay at work began, for those it will put in step; null when it outgrew its bound. */
  #tape: Entry[] | null = null
  #out: Entry[] = []
  #working = false
  #failures = 0
  #retry: Cancel | null = null
  #checking = false

  constructor(host: FeedHost, lane: LiveLane, scope: string | null) {
    this.#host = host
    this.#lane = lane
    this.tenant = lane.tenant
    this.#life = host.lifeOf(lane.tenant)
    this.#log = host.events.of(lane.tenant)
    this.scope = scope
    this.#filter = scope === null ? filters.eventsOfTenant(lane.tenant) : filters.eventsOfScope(lane.tenant, scope)
    this.#floors = this.#bookOf(scope === null ? WATCHED_SCOPES : 1)
    this.#progress = new Progress(host.clock)
  }

  join(reader: Reader): void {
    reader.feed = this
    reader.mode = 'joining'
    reader.since = this.#host.clock.elapsed()
    this.#joining.add(reader)
    this.#wake()
  }

  leave(reader: Reader): void {
    if (reader.feed === this) reader.feed = null
    this.#joining.delete(reader)
    this.#aside.delete(reader)
    this.#atWork?.delete(reader)
    this.#fanOut.remove(reader)
    if (this.#readers().next().done) this.#host.idle(this)
  }

  /** Ends it and gives back its readers, which are in no feed then. */
  close(): Reader[] {
    const readers = [...this.#readers()]
    this.#abort.abort()
    this.#retry?.()
    for (const reader of readers) {
      this.#fanOut.remove(reader)
      reader.feed = null
    }
    this.#joining.clear()
    this.#aside.clear()
    this.#atWork?.clear()
    this.#buffer = []
    this.#out = []
    return readers
  }

  /** Place of the last entry taken in, or known to hold nothing. */
  get head(): number {
    return this.#progress.head
  }

  /** Has taken in entries that were not yet compared with the stored log. */
  get doubtful(): boolean {
    return this.#progress.doubtful || this.#mustHeal || this.#hold
  }

  get checkedAt(): number {
    return this.#progress.checkedAt
  }

  /** A live entry. */
  take(incoming: Incoming): void {
    if (this.#hold) this.#keep(incoming)
    else this.#takeLive(incoming)
  }

  /** Live entries may have been lost: nothing goes out until the log was read again. */
  doubt(): void {
    this.#hold = true
    this.#mustHeal = true
  }

  /** Goes on at once, if it waits to try again. */
  nudge(): void {
    this.#wake()
  }

  /** Has entries that were not yet compared with the log, or readers that wait for room. */
  get restless(): boolean {
    return this.#progress.doubtful || this.#aside.size > 0
  }

  /** Looked over from time to time: tail checks that are due, readers that have room again or never will. */
  sweep(now: number): void {
    for (const reader of this.#aside) {
      if (!reader.congested()) {
        this.#aside.delete(reader)
        this.#host.metrics.count('waggle_log_slow_readers_total', { action: 'caught up' })
        this.join(reader)
      } else if (now - reader.since >= STALLED_MS) {
        this.#host.metrics.count('waggle_log_slow_readers_total', { action: 'ended' })
        this.leave(reader)
        reader.fail(refuse('OVERLOADED', { reason: 'The connection is too slow; come again with the last cursor.' }))
      }
    }
    if (!this.#hold && this.#progress.isCheckDue(now)) void this.check()
  }

  /** Compares the tail of each lane with what was taken in; reads what is missing. */
  async check(): Promise<void> {
    if (this.#checking || this.#hold) return
    if (this.scope === null) {
      this.#mustHeal = true
      this.#wake()
      return
    }
    this.#checking = true
    const { clock, checks } = this.#host
    const { head } = this.#progress
    this.#progress.checkedAt = clock.elapsed()
    try {
      const scope = this.scope
      const tails = await checks.run(() =>
        Promise.all(
          Object.values(Audience).map(async (audience) => ({
            lane: `${scope}.${audience}`,
            last: (await this.#log.last(eventSubject(this.tenant, scope, audience)))?.sequence ?? 0,
          })),
        ),
      )
      if (this.#abort.signal.aborted || this.#hold) return
      if (tails.some(({ lane, last }) => last > this.#progress.doneOf(lane))) {
        this.#mustHeal = true
        this.#wake()
      } else this.#progress.verify(head)
    } catch (error) {
      this.#host.log.debug(
        { scope: this.scope, code: coded(error).code },
        'The tail of a scope could not be asked for.',
      )
    } finally {
      this.#checking = false
    }
  }

  /** Hands what was taken in to the readers in step. */
  flush(): void {
    const out = this.#out
    if (out.length === 0) return
    this.#out = []
    this.#fanOut.send(out)
    for (const reader of this.#fanOut.all()) if (reader.congested()) this.#putAside(reader, this.#progress.head)
    const { metrics } = this.#host
    let ops = 0
    for (const entry of out) if (entry.audience === 'ops') ops++
    if (ops < out.length) metrics.count('waggle_log_entries_total', { audience: 'pub' }, out.length - ops)
    if (ops > 0) metrics.count('waggle_log_entries_total', { audience: 'ops' }, ops)
  }

  // Taking in

  #takeLive(incoming: Incoming): void {
    const { lane, sequence } = incoming
    const done = this.#progress.doneOf(lane)
    if (sequence <= done) return
    if (incoming.previous > done || sequence < this.#progress.head) this.#mustHeal = true
    else {
      const floors = this.#floors.find(incoming.scope)
      if (floors !== null) {
        this.#accept(incoming, floors, this.scope !== null)
        return
      }
      this.#unlearnt.set(incoming.scope, sequence - 1)
    }
    this.#hold = true
    this.#keep(incoming)
    this.#wake()
  }

  #keep(incoming: Incoming): void {
    if (this.#buffer.length >= HELD_ENTRIES) {
      this.#buffer = []
      this.#mustHeal = true
    }
    this.#buffer.push(incoming)
  }

  /**
   * The one door: in log order, each entry once. Null when it counts for nothing, or for no reader. A live one may have
   * overtaken a lost one of another audience, and its cursor says so; what was read from the log has not.
   */
  #accept(incoming: Incoming, floors: Floors, live = false): Entry | null {
    const { sequence, audience, scope } = incoming
    this.#progress.take(incoming)
    const event = incoming.event()
    if (event === null || !floors.admit(event, audience)) {
      this.#host.metrics.count(event === null ? 'waggle_log_unreadable_total' : 'waggle_log_voided_total', {})
      this.#progress.void(sequence)
      return null
    }
    if (audience === 'sys') return null
    const heads = live ? this.#progress.headsOf(scope, sequence) : undefined
    const { incarnation } = this.#life
    return this.#emit(new LogLine(audience, sequence, incarnation, incoming.conversationId(), event, heads))
  }

  #emit(entry: Entry): Entry {
    if (this.#out.length === 0) queueMicrotask(() => this.flush())
    this.#out.push(entry)
    if (this.#tape !== null && this.#tape.push(entry) > HELD_ENTRIES) this.#tape = null
    return entry
  }

  /** Lets the held entries in, until one of them shows that something is still missing. */
  #release(): void {
    if (this.#cold || this.#mustHeal || this.#unlearnt.size > 0) return
    const held = this.#buffer
    this.#buffer = []
    this.#hold = false
    for (const incoming of held) this.take(incoming)
  }

  // Reading

  #wake(): void {
    this.#retry?.()
    this.#retry = null
    if (!this.#working && !this.#abort.signal.aborted) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working = true
    try {
      for (;;) {
        const task = this.#nextTask()
        if (task === null || this.#abort.signal.aborted) break
        await task()
        this.#failures = 0
        if (this.#abort.signal.aborted) break
        this.#release()
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#tryLater(coded(error).code)
    } finally {
      this.#working = false
    }
  }

  #nextTask(): (() => Promise<void>) | null {
    if (this.#cold) return this.#joining.size > 0 ? () => this.#start() : null
    if (this.#mustHeal) return () => this.#heal()
    if (this.#unlearnt.size > 0) return () => this.#learn()
    return this.#joining.size > 0 ? () => this.#replay() : null
  }

  #tryLater(code: string): void {
    const { clock, log, random } = this.#host
    const waitMs = backoffMs(this.#failures++, RETRY_FIRST_MS, RETRY_MAX_MS, random)
    log.warn({ tenant: this.tenant, scope: this.scope, code, waitMs }, 'The log could not be read; trying again.')
    for (const reader of this.#joining) {
      if (clock.elapsed() - reader.since < STALLED_MS) continue
      this.leave(reader)
      reader.fail(refuse('OVERLOADED', { reason: 'The log cannot be read.' }))
    }
    if (this.#abort.signal.aborted) return
    this.#retry = clock.setTimeout(() => this.#wake(), waitMs)
  }

  /** From cold: floors, then everything after the first reader's place, then live. */
  async #start(): Promise<void> {
    await this.#reading('start', async (readers) => {
      await this.#lane.ready()
      const info = await this.#life.info()
      const from = lowest(readers)
      this.#progress.startAt(from)
      this.#floors.clear()
      this.#unlearnt.clear()
      this.#mustHeal = false
      if (this.scope !== null) await this.#floors.learn(this.scope, from)
      if (!(await this.#readFor(readers, from, null))) return
      this.#cold = false
      this.#progress.verify(info.lastSequence)
      this.#putInStep(readers)
    })
  }

  /** For readers that come to a feed at work, all at once from the lowest place. */
  async #replay(): Promise<void> {
    await this.#reading('join', async (readers) => {
      // For a watcher, floors are learnt while reading: entries of other scopes must not overtake meanwhile.
      if (this.scope === null) this.#hold = true
      const info = await this.#life.info()
      // Not from their places only: a stored entry tells nothing of the one before it, so that a gap of the feed's own
      // would be closed over, and what was in it would never be missed.
      const from = Math.min(lowest(readers), this.#progress.verified)
      if (!(await this.#readFor(readers, from, this.#bookOf(WATCHED_SCOPES)))) return
      this.#progress.verify(info.lastSequence)
      this.#putInStep(readers)
    })
  }

  async #reading(cause: string, work: (readers: Set<Reader>) => Promise<void>): Promise<void> {
    const readers = new Set(this.#joining)
    this.#joining.clear()
    this.#atWork = readers
    try {
      await this.#host.replays.run(async () => {
        this.#host.metrics.count('waggle_log_replays_total', { cause })
        if (readers.size > 0) await work(readers)
      })
    } finally {
      // Whoever was neither put in step nor aside (it failed, or must be read again) waits for the next turn.
      for (const reader of readers) this.#joining.add(reader)
      this.#atWork = null
      this.#tape = null
    }
  }

  /** True when the stored log was read to its tail. What is new is taken in on the way; the readers get all of it. */
  async #readFor(readers: Set<Reader>, from: number, history: FloorsBook | null): Promise<boolean> {
    this.#tape = []
    let chunk: Entry[] = []
    let last = from
    const handOver = (): void => {
      for (const reader of readers) {
        reader.hand(chunk, last)
        if (reader.overdue && reader.takeSnapshot !== null) this.#dismiss(reader, 'lag', null)
        else if (reader.congested()) {
          readers.delete(reader)
          reader.land()
          this.#putAside(reader, reader.position)
        }
      }
      chunk = []
      // What they have been handed now need not be kept for them.
      if (this.#tape !== null && (this.#tape.at(-1)?.sequence ?? 0) <= last) this.#tape = []
    }
    const range = { filters: [this.#filter], from: from + 1, signal: this.#abort.signal }
    for await (const message of this.#log.read(range)) {
      const incoming = Incoming.stored(message, this.tenant)
      if (incoming === null) continue
      let entry: Entry | null
      if (this.#progress.isDone(incoming)) entry = await this.#again(incoming, history)
      else if (incoming.sequence <= this.#progress.head && this.scope !== null) {
        this.#mustHeal = true
        handOver()
        return false
      } else entry = this.#accept(incoming, this.#floors.find(incoming.scope) ?? (await this.#floorsOf(incoming)))
      last = incoming.sequence
      if (entry !== null && chunk.push(entry) >= CHUNK_ENTRIES) handOver()
      if (readers.size === 0) return false
    }
    handOver()
    return readers.size > 0
  }

  /** An entry that was taken in before: the same verdict as then. */
  async #again(incoming: Incoming, history: FloorsBook | null): Promise<Entry | null> {
    const event = incoming.event()
    if (event === null) return null
    const { sequence, audience } = incoming
    if (sequence > this.#progress.since || history === null) {
      if (this.#progress.isVoided(sequence)) return null
    } else {
      const floors = history.find(incoming.scope) ?? (await history.learn(incoming.scope, sequence - 1))
      if (!floors.admit(event, audience)) return null
    }
    if (audience === 'sys') return null
    return new LogLine(audience, sequence, this.#life.incarnation, incoming.conversationId(), event)
  }

  /** Nothing may be awaited between the end of their replay and this. */
  #putInStep(readers: Set<Reader>): void {
    this.flush()
    const tape = this.#tape
    this.#tape = null
    if (tape === null) return
    for (const reader of readers) {
      readers.delete(reader)
      reader.hand(tape, this.#progress.head)
      reader.land()
      reader.mode = 'in step'
      this.#fanOut.add(reader)
      if (reader.congested()) this.#putAside(reader, this.#progress.head)
    }
  }

  #putAside(reader: Reader, position: number): void {
    const { metrics, clock } = this.#host
    this.#fanOut.remove(reader)
    reader.mode = 'aside'
    reader.position = position
    reader.since = clock.elapsed()
    reader.thin = true
    this.#aside.add(reader)
    metrics.count('waggle_log_slow_readers_total', { action: 'put aside' })
    this.#host.hurry()
  }

  #dismiss(reader: Reader, cause: string, at: number | null): void {
    this.leave(reader)
    this.#host.restart(reader, cause, at)
  }

  /** Floors of scopes that a watcher has not heard of before. */
  async #learn(): Promise<void> {
    for (const [scope, sequence] of this.#unlearnt) {
      await this.#floors.learn(scope, sequence)
      this.#unlearnt.delete(scope)
    }
  }

  /** Reads everything after `verified` again and takes in what is missing. */
  async #heal(): Promise<void> {
    const { replays, metrics } = this.#host
    await replays.run(async () => {
      metrics.count('waggle_log_replays_total', { cause: 'heal' })
      await this.#lane.ready()
      this.#mustHeal = false
      try {
        if (this.scope === null) this.#hold = true
        const start = this.#progress.verified
        const heldAll = this.#hold
        const info = await this.#life.info()
        const stretch: Incoming[] = []
        let healed = 0
        const range = { filters: [this.#filter], from: start + 1, signal: this.#abort.signal }
        for await (const message of this.#log.read(range)) {
          const incoming = Incoming.stored(message, this.tenant)
          if (incoming === null) continue
          if (this.scope !== null) stretch.push(incoming)
          else if (!this.#progress.isDone(incoming)) {
            // A watcher has no state to be mended: it gets a late entry late, with its own cursor.
            this.#accept(incoming, this.#floors.find(incoming.scope) ?? (await this.#floorsOf(incoming)))
            healed++
          }
        }
        const missing = stretch.filter((incoming) => !this.#progress.isDone(incoming))
        // What waits in the buffer did come, only not in its turn.
        const held = new Set(this.#buffer.map(({ sequence }) => sequence))
        for (const { sequence } of missing) if (!held.has(sequence)) healed++
        if (missing.some(({ sequence }) => sequence <= this.#progress.head)) {
          if (!heldAll) {
            // Live entries went on meanwhile; the stretch must reach beyond all that were taken in. Again, holding them.
            this.#hold = this.#mustHeal = true
            return
          }
          await this.#rebuild(stretch, start)
        } else for (const incoming of missing) this.#accept(incoming, this.#floors.find(incoming.scope)!)
        this.flush()
        this.#progress.verify(Math.max(info.lastSequence, stretch.at(-1)?.sequence ?? 0))
        if (healed > 0) metrics.count('waggle_log_healed_total', {}, healed)
      } catch (error) {
        this.#mustHeal = true
        throw error
      }
    })
  }

  /** Something missing lies before what was taken in: the stretch is judged again, and whoever it concerns begins anew. */
  async #rebuild(stretch: readonly Incoming[], start: number): Promise<void> {
    const scope = this.scope!
    this.#hold = true
    const floors = await this.#host.floors(this.tenant, scope, start)
    this.flush()
    const judged = judge(
      stretch,
      floors,
      (incoming) => this.#progress.isDone(incoming) && !this.#progress.isVoided(incoming.sequence),
    )
    const broken: Reader[] = []
    const behind: Reader[] = []
    for (const reader of this.#readers()) {
      // What lies before its place it had from elsewhere, whatever was missing here.
      const concerned = judged.filter(
        ({ incoming: { audience, sequence } }) =>
          sequence > reader.base && reader.audiences.some((own) => own === audience),
      )
      const inStep = reader.mode === 'in step'
      if ((inStep || reader.position > start) && !staysInOrder(concerned)) broken.push(reader)
      const first = concerned.find(({ before, after }) => after && !before)?.incoming.sequence ?? Infinity
      if (!inStep) reader.position = Math.min(reader.position, first - 1)
      else if (reader.base > start) {
        reader.position = Math.min(this.#progress.head, first - 1)
        behind.push(reader)
      }
    }
    for (const reader of broken) this.#fanOut.remove(reader)
    for (const reader of behind) this.#fanOut.remove(reader)
    this.#floors.set(scope, floors)
    for (const { incoming, before, after } of judged) {
      const { sequence, audience } = incoming
      this.#progress.take(incoming)
      if (after) this.#progress.unvoid(sequence)
      else if (audience !== 'sys') this.#progress.void(sequence)
      const event = incoming.event()
      if (!after || before || audience === 'sys' || event === null) continue
      this.#emit(new LogLine(audience, sequence, this.#life.incarnation, incoming.conversationId(), event))
    }
    this.flush()
    for (const reader of behind) if (!broken.includes(reader)) this.join(reader)
    for (const reader of broken) this.#dismiss(reader, 'late', start)
  }

  #floorsOf(incoming: Incoming): Promise<Floors> {
    return this.#floors.learn(incoming.scope, incoming.sequence - 1)
  }

  #bookOf(capacity: number): FloorsBook {
    return new FloorsBook(capacity, (scope, sequence) => this.#host.floors(this.tenant, scope, sequence))
  }

  *#readers(): Generator<Reader> {
    yield* this.#joining
    yield* this.#aside
    if (this.#atWork) yield* this.#atWork
    yield* this.#fanOut.all()
  }
}

function lowest(readers: Iterable<Reader>): number {
  let position = Infinity
  for (const reader of readers) position = Math.min(position, reader.position)
  return position
}
