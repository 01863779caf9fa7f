import { coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import type { HostCore } from './core.ts'
import { Way, decodeEntries } from './outbox.ts'
import { EVENTS } from './streams.ts'

/**
 * The life of the log (I5, I12). A stream that was made anew, or whose head lies below the mark that was written last,
 * is another incarnation: cursors of the old one get a snapshot, and the facts in the outbox since the mark, less five
 * minutes, are appended again under their own ids. The mark is written every few seconds while the head moves.
 */
export class LogKeeper {
  readonly #core: HostCore
  #incarnation = ''
  #sequence = -1
  #beat: Cancel | null = null
  #closed = false

  constructor(core: HostCore) {
    this.#core = core
  }

  get incarnation(): string {
    return this.#incarnation
  }

  async open(): Promise<void> {
    const { store, transport, clock, newId } = this.#core
    const mark = await store.logMark(EVENTS)
    const { created, lastSequence } = await transport.streamInfo(EVENTS)
    if (mark !== null && mark.created === created && lastSequence >= mark.sequence) {
      this.#incarnation = mark.incarnation
    } else {
      this.#incarnation = newId()
      if (mark !== null) {
        const again = await this.#emitAgain(mark.at - OVERLAP_MS)
        this.#core.log.warn(
          { was: mark.incarnation, now: this.#incarnation, markedAt: mark.sequence, head: lastSequence, facts: again },
          'the log was lost or cut; facts were appended again',
        )
      }
      const after = await transport.streamInfo(EVENTS)
      await store.saveLogMark(EVENTS, {
        incarnation: this.#incarnation,
        created: after.created,
        sequence: after.lastSequence,
        at: clock.now(),
      })
    }
    this.#tick()
  }

  close(): void {
    this.#closed = true
    this.#beat?.()
  }

  #tick(): void {
    if (this.#closed) return
    this.#beat = this.#core.clock.setTimeout(() => void this.#mark(), MARK_EVERY_MS)
  }

  async #mark(): Promise<void> {
    const { store, transport, clock } = this.#core
    try {
      const { created, lastSequence } = await transport.streamInfo(EVENTS)
      const mark = await store.logMark(EVENTS)
      if (mark !== null && mark.incarnation !== this.#incarnation) this.#incarnation = mark.incarnation
      else if (mark !== null && (mark.created !== created || lastSequence < mark.sequence)) {
        this.#beat = null
        await this.open()
        return
      } else if (lastSequence !== this.#sequence) {
        await store.saveLogMark(EVENTS, {
          incarnation: this.#incarnation,
          created,
          sequence: lastSequence,
          at: clock.now(),
        })
        this.#sequence = lastSequence
      }
    } catch (error) {
      this.#core.log.debug({ code: coded(error).code }, 'the mark of the log could not be written')
    }
    this.#tick()
  }

  async #emitAgain(since: number): Promise<number> {
    const { store, transport } = this.#core
    let count = 0
    for (const row of await store.relayedSince(since)) {
      for (const [way, subject, id, data] of decodeEntries(row.entries)) {
        if (way !== Way.append || parseSubject(subject).lane !== 'ev') continue
        await transport.append(subject, data, { messageId: id })
        count++
      }
    }
    return count
  }
}

const MARK_EVERY_MS = 5_000
const OVERLAP_MS = 300_000
