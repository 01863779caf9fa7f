import type { WaggleError } from '#shared/errors/waggle-error.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { backoffMs } from '#shared/lib/backoff.ts'
import { delay } from '#shared/lib/clock.ts'
import { pack, unpack } from '#shared/wire/codec.ts'
import type { HostCore } from './core.ts'
import type { OutboxRow } from './store.ts'

/**
 * The outbox (I3): one row for each handler transaction holds everything it says, in order. `relay` sends a row after
 * its commit, one entry after the other, each under its deterministic message id, so that relaying it twice (by us after
 * a doubt, or by the next holder) stores nothing twice; then the row is marked, many rows in one statement.
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
  #marks: { tenant: string; id: string }[] = []
  #marking: Promise<void> | null = null
  #giveBack: (() => void) | null = null

  constructor(core: HostCore) {
    this.#core = core
  }

  /** Resolves when every entry is stored. Goes on trying while the holder holds; rejects with its reason when it does not. */
  async send(
    row: { readonly tenant: string; readonly id: string } | null,
    entries: readonly Entry[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const entry of entries) await this.#sendEntry(row?.tenant ?? null, entry, signal)
    if (row !== null) this.#mark(row)
  }

  sendRow(row: OutboxRow, signal: AbortSignal): Promise<void> {
    return this.send(row, decodeEntries(row.entries), signal)
  }

  /** Marks what is waiting to be marked; call before the store goes away. */
  async flush(): Promise<void> {
    this.#giveBack?.()
    this.#giveBack = null
    await this.#marking
    await this.#writeMarks()
  }

  async #sendEntry(tenant: string | null, [way, subject, id, data, opens]: Entry, signal: AbortSignal): Promise<void> {
    const { transport, clock, limits, random, observe } = this.#core
    if (way === Way.publish) {
      transport.publish(subject, data)
      return
    }
    const started = clock.elapsed()
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        const { sequence } = await transport.append(subject, data, { messageId: id })
        if (opens !== null && tenant !== null) {
          const [scope, who, epoch] = opens
          await this.#core.store.opened({ tenant, scope, who, epoch, sequence })
        }
        return
      } catch (error) {
        const { code } = coded(error)
        observe('relay:retried', { subject, code })
        if (code === 'TOO_LARGE' || (code === 'MAILBOX_FULL' && clock.elapsed() - started > limits.relayGiveUpMs)) {
          await this.#bury(tenant, subject, data, coded(error))
          return
        }
        await delay(clock, backoffMs(attempt, limits.retryFirstMs, limits.retryMaxMs, random), signal)
      }
    }
  }

  async #bury(tenant: string | null, subject: string, payload: Uint8Array, error: WaggleError): Promise<void> {
    const { store, newId, clock } = this.#core
    const at = clock.now()
    const history = [{ code: error.code, message: error.message, at }]
    await store.bury({
      id: newId(),
      tenant: tenant ?? '-',
      subject,
      payload,
      code: error.code,
      message: error.message,
      attempts: 1,
      history,
      trace: '',
      at,
    })
  }

  #mark(row: { readonly tenant: string; readonly id: string }): void {
    this.#marks.push({ tenant: row.tenant, id: row.id })
    if (this.#marks.length >= MARK_ROWS && this.#marking === null) {
      this.#giveBack?.()
      this.#giveBack = null
      this.#marking = this.#writeMarks()
    } else if (this.#giveBack === null && this.#marking === null) {
      this.#giveBack = this.#core.clock.setTimeout(() => {
        this.#giveBack = null
        this.#marking = this.#writeMarks()
      }, MARK_MS)
    }
  }

  async #writeMarks(): Promise<void> {
    const rows = this.#marks
    this.#marks = []
    try {
      if (rows.length > 0) await this.#core.store.relayed(rows)
    } catch (error) {
      // Harmless: an unmarked row is relayed again by the next holder, under the same message ids.
      this.#core.log.warn({ rows: rows.length, code: coded(error).code }, 'relayed rows could not be marked')
    } finally {
      this.#marking = null
    }
    if (this.#marks.length > 0 && this.#giveBack === null) {
      this.#giveBack = this.#core.clock.setTimeout(() => {
        this.#giveBack = null
        this.#marking = this.#writeMarks()
      }, MARK_MS)
    }
  }
}

/** Relayed rows are marked this late, or when this many wait. */
const MARK_MS = 50
const MARK_ROWS = 256
