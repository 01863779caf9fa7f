import { coded } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { delay } from '#shared/lib/clock.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { pack, unpack } from '#shared/wire/codec.ts'
import { decodeEvent, encodeEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import type { HostCore } from './core.ts'
import { MAX_HISTORY, announceLetter, letter, letterId, traceIn } from './letters.ts'
import { countedSince, timeOfId } from './log-search.ts'
import type { LogShare } from './log-share.ts'
import type { AttemptError, OutboxRow } from './store.ts'
import { DUPLICATE_WINDOW_MS } from './streams.ts'

/**
 * The outbox (I3): one row for each handler transaction holds everything it says, in order. `send` relays a row after
 * its commit, one entry after the other, each under its deterministic message id, so that relaying it twice (by us after
 * a doubt, or by the next holder) stores nothing twice; then the row is marked, many rows in one statement. A row that
 * is older than the broker remembers message ids is compared with the log before it is said again (I5).
 *
 * Invariants: a relay ends only when everything is stored, or with its holder; a row is marked only after that; marks
 * that could not be written are written later. A broker that was away may have lost what it had confirmed (I12): what
 * was sent before an interruption and is not marked yet is sent again, which is harmless where it was not lost.
 */
export type Entry = readonly [way: Way, subject: string, id: string, data: Uint8Array, opens: Opening | null]
export type Opening = readonly [scope: string, who: string, epoch: number]

/** How an entry travels: appended to a stream, or published to a waiting inbox (a receipt). */
export const Way = { append: 0, publish: 1 } as const
export type Way = (typeof Way)[keyof typeof Way]

export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  return pack(entries)
}
export function decodeEntries(bytes: Uint8Array): Entry[] {
  return unpack(bytes) as Entry[]
}

export class Relay {
  readonly #core: HostCore
  readonly #share: LogShare
  #sent: Sent[] = []
  /** Interruptions of the connection so far. */
  #interruptions = 0
  #marking: Promise<readonly Sent[]> | null = null
  #soon: Cancel | null = null

  constructor(core: HostCore, share: LogShare) {
    this.#core = core
    this.#share = share
    core.transport.onStatus((status) => {
      if (status === 'connected') this.#interruptions++
    })
  }

  /** Says who waits for a receipt, as soon as the step is committed: at most once, and in no order with the rest. */
  confirm(entries: readonly Entry[]): void {
    for (const [way, subject, , data] of entries) {
      if (way !== Way.publish) continue
      try {
        this.#core.transport.publish(subject, data)
      } catch (error) {
        // Who waits for it sends its command again and is told the same.
        this.#core.log.warn({ subject, code: coded(error).code }, 'a receipt could not be sent')
      }
    }
  }

  /** Resolves when every entry is stored; rejects only when the holder is lost. Receipts are not its business. */
  async send(tenant: string, row: string | null, entries: readonly Entry[], by: Holder, again = false): Promise<void> {
    const before = this.#interruptions
    const log = this.#core.events.streamOf(tenant)
    for (const entry of entries) if (entry[0] === Way.append) await this.#sendEntry(tenant, entry, by.lost, again)
    if (row === null) return
    this.#sent.push({ tenant, id: row, log, entries, by, interruptions: before })
    this.#writeSoon(this.#sent.length >= MARK_ROWS ? 0 : MARK_MS)
  }

  /** Sends a row that may have been sent before, by us or by an earlier holder. */
  async sendAgain(row: OutboxRow, by: Holder): Promise<void> {
    const entries = decodeEntries(row.entries)
    this.confirm(entries)
    await this.send(row.tenant, row.id, await this.#untold(row.tenant, row.id, entries, by), by, true)
  }

  /**
   * What of a row is still to be said. Nearly always all of it, because the broker knows what it has. But a row older than
   * the broker remembers ids is compared with the log (I5); and so is one of an epoch that has been followed by another
   * in the log: it had been told before that, unless the log lost it since, and then it counts only under that epoch (I12).
   */
  async #untold(tenant: string, row: string, entries: readonly Entry[], by: Holder): Promise<readonly Entry[]> {
    const { events, store, clock } = this.#core
    await events.settled(tenant)
    const old = timeOfId(row) < clock.now() - DUPLICATE_WINDOW_MS / 2
    const left: Entry[] = []
    for (const entry of entries) {
      const [way, subject, id, data, opens] = entry
      const parsed = way === Way.append ? parseSubject(subject) : null
      if (parsed?.lane !== 'ev') {
        left.push(entry)
        continue
      }
      const event = decodeEvent(data)
      const { floors } =
        event.epoch < by.epoch
          ? await this.#insist(by.lost, subject, () => store.floors(tenant, parsed.scope, Number.MAX_SAFE_INTEGER))
          : { floors: [] }
      const floor = floors.find(({ who }) => who === event.by)?.epoch ?? 0
      const followed = floor > event.epoch
      if (!old && !followed) {
        left.push(entry)
        continue
      }
      const scope = filters.eventsOfScope(tenant, parsed.scope)
      const told = await this.#insist(by.lost, subject, () => countedSince(events.of(tenant), timeOfId(row), scope))
      const place = told.get(`${subject}#${event.id}`)
      if (place !== undefined) {
        // It may have been told by one that did not come to write down where.
        await this.#opened(tenant, opens, place, events.streamOf(tenant), by.lost)
        continue
      }
      if (!followed || (opens !== null && opens[1] === event.by)) left.push(entry)
      else left.push([way, subject, raisedId(id, floor), encodeEvent({ ...event, epoch: floor }), opens])
    }
    return left
  }

  /** Writes the marks that wait. */
  async flush(): Promise<void> {
    this.#soon?.()
    this.#soon = null
    await this.#marking
    await this.#write()
  }

  /** @param again it may have been said before */
  async #sendEntry(
    tenant: string,
    [, subject, id, data, opens]: Entry,
    signal: AbortSignal,
    again: boolean,
  ): Promise<void> {
    const { transport, events, clock, limits, store } = this.#core
    const started = clock.elapsed()
    let refusal: WaggleError | null = null as WaggleError | null
    let attempts = 0
    const history: AttemptError[] = []
    let log = ''
    const sequence = await this.#insist(signal, subject, async () => {
      try {
        if (refusal === null) {
          if (!isEvent(subject)) return (await transport.append(subject, data, { messageId: id })).sequence
          const doubtful = again || attempts > 0
          const { sequence, duplicate, stream } = await events.append(subject, data, { messageId: id, doubtful })
          log = stream
          if (!duplicate) this.#share.note(tenant, data.byteLength)
          return sequence
        }
      } catch (error) {
        const failure = coded(error)
        attempts++
        history.push({ code: failure.code, message: failure.message, at: clock.now() })
        if (history.length > MAX_HISTORY) history.shift()
        const full = failure.code === 'MAILBOX_FULL' && clock.elapsed() - started > limits.relayGiveUpMs
        if (failure.code !== 'TOO_LARGE' && !full) throw failure
        refusal = failure
      }
      const trace = subject.includes('.ev.') ? decodeEvent(data).trace : traceIn(data)
      const about = { id: letterId('unsent', id), tenant, subject, payload: data, error: refusal, trace }
      const buried = letter(this.#core, { ...about, attempts, history })
      await store.bury(buried)
      announceLetter(this.#core, buried, '')
      return null
    })
    if (sequence !== null) await this.#opened(tenant, opens, sequence, log, signal)
  }

  async #opened(
    tenant: string,
    opens: Opening | null,
    sequence: number,
    log: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (opens === null) return
    const [scope, who, epoch] = opens
    const { store } = this.#core
    await this.#insist(signal, scope, () => store.opened({ tenant, scope, who, epoch, sequence, log }))
  }

  /** Until it is done, or the holder holds no more. */
  async #insist<Value>(signal: AbortSignal, subject: string, work: () => Promise<Value>): Promise<Value> {
    const { clock, limits, random, observe } = this.#core
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        // What waits for a log that is being moved is the next holder's to say.
        if (coded(error).code === 'LEAVING') throw error
        observe('relay:retried', { subject, code: coded(error).code })
        await delay(clock, backoffMs(attempt, limits.retryFirstMs, limits.retryMaxMs, random), signal)
      }
    }
  }

  #writeSoon(ms: number): void {
    if (this.#marking !== null || (this.#soon !== null && ms > 0)) return
    this.#soon?.()
    this.#soon = this.#core.clock.setTimeout(() => {
      this.#soon = null
      void this.#write()
    }, ms)
  }

  async #write(): Promise<void> {
    if (this.#marking !== null) {
      await this.#marking
      return
    }
    const sent = this.#sent.splice(0)
    if (sent.length === 0) return
    this.#marking = this.#mark(sent)
    const failed = await this.#marking
    this.#marking = null
    this.#sent.unshift(...failed)
    if (this.#sent.length > 0) this.#writeSoon(failed.length > 0 ? MARK_AGAIN_MS : MARK_MS)
  }

  /** Says rows again whose tenant's log has moved. Returns those that are still to be marked, under the log they are in now. */
  async #followed(rows: readonly Sent[]): Promise<readonly Sent[]> {
    const { events } = this.#core
    const followed: Sent[] = []
    for (const row of rows) {
      const { tenant, entries, by } = row
      // Of one that holds no more, they are the next one's to say.
      if (by.lost.aborted) continue
      const log = events.streamOf(tenant)
      // Not waited for: other tenants' rows are to be marked too.
      if (log === row.log || events.isHalted(tenant)) {
        followed.push(row)
        continue
      }
      for (const entry of entries) if (entry[0] === Way.append) await this.#sendEntry(tenant, entry, by.lost, true)
      followed.push({ ...row, log })
    }
    return followed
  }

  /** Returns those that could not be marked yet. */
  async #mark(sent: readonly Sent[]): Promise<readonly Sent[]> {
    let rows = sent
    for (;;) {
      const before = this.#interruptions
      // What would have to be sent again by a holder that holds no more is left to the next one.
      rows = rows.filter((row) => row.interruptions === before || !row.by.lost.aborted)
      try {
        for (const { tenant, id, entries, by, interruptions } of rows) {
          if (interruptions === before) continue
          for (const entry of await this.#untold(tenant, id, entries, by))
            if (entry[0] === Way.append) await this.#sendEntry(tenant, entry, by.lost, true)
        }
        const given = rows.map(({ tenant, id, log }) => ({ tenant, id, log }))
        const refused = given.length > 0 ? await this.#core.store.relayed(given) : []
        // Otherwise also those that are marked now may have been lost since.
        if (this.#interruptions === before) {
          return await this.#followed(
            rows.filter(({ tenant, id }) => refused.some((row) => row.tenant === tenant && row.id === id)),
          )
        }
      } catch (error) {
        // Meanwhile the next holder would relay them again, under the same message ids.
        this.#core.log.warn({ rows: rows.length, code: coded(error).code }, 'relayed rows could not be marked yet')
        return rows
      }
    }
  }
}

/** Who relays: under which epoch, and until when. */
export interface Holder {
  readonly epoch: number
  readonly lost: AbortSignal
}

interface Sent {
  readonly tenant: string
  readonly id: string
  /** The stream that took, or would have taken, its first event. */
  readonly log: string
  readonly entries: readonly Entry[]
  readonly by: Holder
  /** How many interruptions there had been when it was begun to be sent. */
  readonly interruptions: number
}

/** The message id begins with the subject where the id of the event was given by somebody else than the runtime. */
export function messageId(subject: string, id: string | undefined, made: string): string {
  return id === undefined ? made : `${subject}#${id}`
}
/** A fact that is said again under a higher epoch; whoever finds that it must be says it under the same id. */
export function raisedId(id: string, epoch: number): string {
  return `${id}@${epoch}`
}
export function eventIdOf([, subject, id]: Entry): string {
  return id.startsWith(`${subject}#`) ? id.slice(subject.length + 1) : id
}

/** An event, and no command. */
function isEvent(subject: string): boolean {
  return parseSubject(subject).lane === 'ev'
}

/** Relayed rows are marked this late, or when this many wait. */
const MARK_MS = 50
const MARK_AGAIN_MS = 1_000
const MARK_ROWS = 256
