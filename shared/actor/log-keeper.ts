import { coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { CONTROL_CHANGED, decodeEvent, encodeEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import type { HostCore } from './core.ts'
import { saidSince } from './log-search.ts'
import { Way, decodeEntries, eventIdOf, raisedId } from './outbox.ts'
import type { Entry, Relay } from './outbox.ts'
import type { LogMark } from './store.ts'
import type { LogView } from './event-log.ts'

/**
 * The life of the log (I5, I12). A broker may lose the tail of its streams in a power cut; the outbox has it. Lost is: a
 * stream that was made anew, a head below the mark that was written last, or, looked for by a new keeper and after every
 * interruption of the connection, a fact relayed since about that mark which the log does not tell. The log is then
 * another incarnation (cursors of the old one get a snapshot), and the facts since the mark, less OVERLAP_MS, that do
 * not count in it are said again, once more a beat later: what was relayed and not yet marked is hidden at first. When
 * all of them count it is another incarnation once more, because they stand behind younger ones. The
 * mark's time says since when facts may be untold; it goes on only when they have been looked for, by whichever keeper.
 *
 * One node keeps the log: by rendezvous hashing (`mine`) and, as several may believe it is theirs, by an epoch of its own
 * in the store, checked before anything is said again (I1). The others only learn which incarnation it is. A fact whose actor was taken over meanwhile would be
 * void; it was committed, so it is said again under the highest
 * epoch that the log knows of it (no higher: what its holder has yet to say of an earlier one would be void).
 */
export class LogKeeper {
  readonly #core: HostCore
  readonly #relay: Relay
  readonly #kept: KeptLog
  #incarnation = ''
  /** The head that was marked last. */
  #marked = -1
  /** Ours as the keeper, or null. */
  #epoch: number | null = null
  /** How many more times to look for lost facts, and since when when it is known that some are. */
  #searches = 0
  /** Searches of this interruption that found something. */
  #repeats = 0
  #since: number | null = null
  #next: Cancel | null = null
  #looking = false
  #stopListening: () => void = () => {}
  #closed = false

  constructor(core: HostCore, relay: Relay, kept: KeptLog) {
    this.#core = core
    this.#relay = relay
    this.#kept = kept
  }

  /** Under this name the keeper's epoch is minted. */
  get #claim(): string {
    return `$log/${this.#kept.stream}`
  }

  get incarnation(): string {
    return this.#incarnation
  }

  async open(): Promise<void> {
    await this.#look()
    this.#stopListening = this.#core.transport.onStatus((status) => {
      if (status !== 'connected') return
      this.#searches = SEARCHES
      this.#lookIn(0)
    })
    this.#lookIn(MARK_EVERY_MS)
  }

  close(): void {
    this.#closed = true
    this.#stopListening()
    this.#next?.()
  }

  /** One look at a time: two would say the same again. */
  #lookIn(ms: number): void {
    if (this.#closed || this.#looking) return
    this.#next?.()
    this.#next = this.#core.clock.setTimeout(() => {
      this.#looking = true
      this.#look()
        .catch((error: unknown) => {
          if (coded(error).code === 'STALE_EPOCH') this.#epoch = null
          this.#core.log.debug({ code: coded(error).code }, 'the log could not be looked after; later')
        })
        .finally(() => {
          this.#looking = false
          this.#lookIn(this.#searches > 0 ? SEARCH_AGAIN_MS : MARK_EVERY_MS)
        })
    }, ms)
  }

  async #look(): Promise<void> {
    const { store, transport, clock, newId } = this.#core
    // The mark first: a head that was read before somebody else's mark would seem to have been cut.
    const { stream } = this.#kept
    const mark = await store.logMark(stream)
    const { created, lastSequence } = await transport.streamInfo(stream)
    if (mark === null) {
      this.#incarnation = newId()
      return await this.#save(created, clock.now())
    }
    // What it relayed and had not marked was hidden from the keeper, which looks once more.
    if (mark.incarnation !== this.#incarnation) await this.#relay.flush()
    this.#incarnation = mark.incarnation
    if (!this.#kept.mine()) {
      this.#epoch = null
      return
    }
    if (this.#epoch === null) {
      this.#epoch = await store.claim(this.#claim, 0, this.#core.node)
      this.#searches = Math.max(1, this.#searches)
      if (this.#incarnation.endsWith(MENDING)) {
        this.#since ??= mark.at
        this.#searches = SEARCHES
      }
    }
    if (mark.created !== created || lastSequence < mark.sequence) await this.#renew(mark, created)
    if (this.#searches > 0) {
      if (!this.#kept.settled()) return
      await this.#relay.flush()
      let entries = await this.#relayed(this.#since ?? mark.at - GLANCE_MS)
      let lost = await this.#lostFacts(entries)
      if (lost.length > 0 && this.#since === null) {
        await this.#renew(mark, created)
        entries = await this.#relayed(mark.at - OVERLAP_MS)
        lost = await this.#lostFacts(entries)
      }
      await this.#sayAgain(lost)
      await this.#tellAgain(entries)
      // An epoch that was opened while we spoke makes void what was said under the one before: looked for until it counts.
      if (lost.length > 0 && this.#repeats++ < MAX_REPEATS) this.#searches = Math.max(SEARCHES, this.#searches)
      if (--this.#searches > 0) return
      this.#repeats = 0
      this.#since = null
      if (this.#incarnation.endsWith(MENDING)) await this.#whole(created)
    }
    if (lastSequence !== this.#marked) await this.#save(created, clock.now())
  }

  async #renew(mark: LogMark, created: number): Promise<void> {
    await this.#check()
    this.#incarnation = `${this.#core.newId()}${MENDING}`
    this.#since = Math.min(this.#since ?? Infinity, mark.at - OVERLAP_MS)
    this.#searches = SEARCHES
    this.#core.log.warn(
      { stream: this.#kept.stream, was: mark.incarnation, now: this.#incarnation, mark: mark.sequence },
      'the log lost its tail',
    )
    await this.#save(created, this.#since)
    this.#marked = -1
  }

  /**
   * What was lost stands behind younger entries now: whoever has begun to read meanwhile has been shown the start of a turn
   * whose end it had already. So everybody begins anew once more, when all is there.
   */
  async #whole(created: number): Promise<void> {
    await this.#check()
    const was = this.#incarnation
    this.#incarnation = this.#core.newId()
    this.#core.log.info({ was, now: this.#incarnation }, 'what the log had lost was said again')
    await this.#save(created, this.#core.clock.now())
  }

  /** Throws STALE_EPOCH when another node has become the keeper. */
  async #check(): Promise<void> {
    await this.#core.store.commit({ tenant: '-', kind: this.#claim, partition: 0, epoch: this.#epoch ?? 0 }, [])
  }

  /** @param at read before the head: what was relayed until then is told by it */
  async #save(created: number, at: number): Promise<void> {
    const { store, transport } = this.#core
    if (this.#epoch !== null) await this.#check()
    const { stream } = this.#kept
    const { lastSequence } = await transport.streamInfo(stream)
    await store.saveLogMark(stream, { incarnation: this.#incarnation, created, sequence: lastSequence, at })
    this.#marked = lastSequence
  }

  async #relayed(since: number): Promise<Relayed> {
    const rows = await this.#core.store.relayedSince(since)
    const entries = rows
      .filter(({ tenant }) => this.#kept.holds(tenant))
      .flatMap((row) => decodeEntries(row.entries))
      .filter(([way]) => way === Way.append)
    const isFact = ([, subject]: Entry): boolean => parseSubject(subject).lane === 'ev'
    return { since, facts: entries.filter(isFact), commands: entries.filter((entry) => !isFact(entry)) }
  }

  /** Those that are not in the log, or there under an epoch that had been followed. */
  async #lostFacts({ since, facts }: Relayed): Promise<Fact[]> {
    if (facts.length === 0) return []
    const { log, filter } = this.#kept
    const spoken = new Map<string, number>()
    const voices = new Map<string, Voice>()
    const told = new Set<string>()
    const voided = new Set<string>()
    for (const { subject, event } of await saidSince(log(), since, [filter])) {
      const parsed = parseSubject(subject)
      if (parsed.lane !== 'ev') continue
      const scope = `${parsed.tenant}/${parsed.scope}`
      const { by, epoch, control } = event
      const name = `${subject}#${event.id}`
      if (epoch < (spoken.get(`${scope}/${by}`) ?? 0)) {
        voided.add(name)
        continue
      }
      // What is void for want of the voice is told as it was meant to be, and stays so.
      told.add(name)
      spoken.set(`${scope}/${by}`, epoch)
      if (event.type === CONTROL_CHANGED && control > (voices.get(scope)?.control ?? 0))
        voices.set(scope, { by, control })
    }
    return facts.flatMap((entry) => {
      const name = `${entry[1]}#${eventIdOf(entry)}`
      return told.has(name) ? [] : [{ entry, voided: voided.has(name), spoken, voices }]
    })
  }

  async #sayAgain(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return
    await this.#check()
    const { store, events } = this.#core
    for (const { entry, voided, spoken, voices } of facts) {
      const [, subject, id, data] = entry
      const parsed = parseSubject(subject)
      if (parsed.lane !== 'ev') continue
      const { tenant, scope } = parsed
      const event = decodeEvent(data)
      const opened = (await store.floors(tenant, scope, Number.MAX_SAFE_INTEGER)).floors
      const floor = opened.find(({ who }) => who === event.by)?.epoch ?? 0
      const epoch = Math.max(event.epoch, floor, spoken.get(`${tenant}/${scope}/${event.by}`) ?? 0)
      // Who moves the voice had it when this was said, before it was moved.
      const voice = voices.get(`${tenant}/${scope}`)
      const raised = event.control !== 0 && voice?.by === event.by && voice.control > event.control
      const control = raised ? voice.control : event.control
      const bytes = epoch === event.epoch && !raised ? data : encodeEvent({ ...event, epoch, control })
      const again = epoch === event.epoch && !voided ? id : raisedId(id, epoch)
      await events.append(subject, bytes, { messageId: again })
    }
  }

  /**
   * Whether a command is still to be handled cannot be seen: a work queue forgets what was acknowledged. So all of them
   * are sent again; the broker knows those that it has, and an actor those that it has handled (I3).
   */
  async #tellAgain({ commands }: Relayed): Promise<void> {
    if (commands.length > 0) await this.#check()
    for (let from = 0; from < commands.length; from += AT_ONCE) {
      const some = commands.slice(from, from + AT_ONCE)
      await Promise.all(some.map((command) => this.#tell(command)))
    }
  }

  async #tell([, subject, id, data]: Entry): Promise<void> {
    try {
      await this.#core.transport.append(subject, data, { messageId: id })
    } catch (error) {
      if (coded(error).code !== 'MAILBOX_FULL') throw error
      // It may be one of those that wait there. Not waited for: one full actor would keep the log from being kept.
      this.#core.log.warn({ subject, id }, 'a command could not be sent again: its actor is full')
    }
  }
}

/** One stream of events, and who speaks in it. */
export interface KeptLog {
  readonly stream: string
  readonly filter: string
  /** Read with what stands elsewhere of it. */
  readonly log: () => LogView
  readonly holds: (tenant: string) => boolean
  /** Whether lost facts can be looked for now. */
  readonly settled: () => boolean
  /** Whether this node is the one that looks after it. */
  readonly mine: () => boolean
}

interface Relayed {
  readonly since: number
  readonly facts: readonly Entry[]
  readonly commands: readonly Entry[]
}

interface Fact {
  readonly entry: Entry
  /** It stands in the log under an epoch that had been followed by another. */
  readonly voided: boolean
  /** Highest epoch that was heard of each voice since then. */
  readonly spoken: ReadonlyMap<string, number>
  /** The last change of the voice of each scope since then. */
  readonly voices: ReadonlyMap<string, Voice>
}

interface Voice {
  readonly by: string
  readonly control: number
}

const MARK_EVERY_MS = 5_000
const SEARCH_AGAIN_MS = 2_000
/** How far before the last mark facts are looked for when the log is known to have lost something. */
const OVERLAP_MS = 300_000
/** And when it is only possible. */
const GLANCE_MS = 15_000
const SEARCHES = 2
/** Ends the name of an incarnation in which lost facts are being said again: whoever becomes the keeper meanwhile goes on. */
const MENDING = 'mending'
/** Enough for any number of takeovers after one interruption; a fact that no epoch makes count must not be said for ever. */
const MAX_REPEATS = 30
const AT_ONCE = 64
