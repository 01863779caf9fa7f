import { coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import type { HostCore } from './core.ts'
import type { TimerChange, TimerRow } from './store.ts'

/**
 * The reminders of one held partition. The rows are the truth; those due within the horizon are armed in memory, the
 * rest is looked up again before the horizon ends. A reminder that is due is given to its actor and stays here until the
 * actor's transaction has deleted or replaced its row, so that the actor can ask whether it still stands: a reminder that
 * was forgotten or moved while it waited in the mailbox must not fire.
 *
 * A look may bring rows that are changed while it is under way: `#touched` remembers which, and those are left alone.
 */
export class Timers {
  readonly #core: HostCore
  readonly #kind: string
  readonly #partition: number
  readonly #fire: (row: TimerRow) => void
  readonly #armed = new Map<string, { readonly dueAt: number; readonly cancel: Cancel }>()
  readonly #touched = new Set<string>()
  #looking = false
  #lookAgain = false
  #next: Cancel | null = null
  #horizon = 0
  #closed = false

  constructor(core: HostCore, kind: string, partition: number, fire: (row: TimerRow) => void) {
    this.#core = core
    this.#kind = kind
    this.#partition = partition
    this.#fire = fire
  }

  /** Looks the rows up; at the beginning, for the next horizon, or after a doubt about the database. */
  look(): void {
    this.#lookAgain = true
    if (!this.#looking) void this.#look()
  }

  /** Whether a reminder that has come due is still wanted. */
  stands(row: TimerRow): boolean {
    return this.#armed.get(timerId(row.tenant, row.key, row.name))?.dueAt === row.dueAt
  }

  /** A committed change. */
  change(tenant: string, key: string, change: TimerChange): void {
    const id = timerId(tenant, key, change.name)
    if (this.#looking) this.#touched.add(id)
    this.#armed.get(id)?.cancel()
    this.#armed.delete(id)
    if (change.dueAt !== null && change.dueAt <= this.#horizon)
      this.#arm({ tenant, key, name: change.name, dueAt: change.dueAt, payload: change.payload })
  }

  /** Forgets what is known of an actor, whose rows may have changed unheard, and looks again. */
  doubt(tenant: string, key: string): void {
    const own = `${tenant}/${key}/`
    for (const [id, { cancel }] of this.#armed) {
      if (!id.startsWith(own)) continue
      cancel()
      this.#armed.delete(id)
    }
    this.look()
  }

  close(): void {
    this.#closed = true
    this.#next?.()
    for (const armed of this.#armed.values()) armed.cancel()
    this.#armed.clear()
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#core
    this.#looking = true
    let nextMs = HORIZON_MS / 2
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false
      this.#touched.clear()
      const horizon = clock.now() + HORIZON_MS
      // What is changed from now on is armed by the change itself.
      this.#horizon = horizon
      try {
        const rows = await store.timers(this.#kind, this.#partition, horizon)
        for (const row of rows) if (!this.#touched.has(timerId(row.tenant, row.key, row.name))) this.#arm(row)
        // A store may hand over only those due first; the next ones are looked up when the last of these is due.
        if (rows.length >= MANY_ROWS) nextMs = Math.min(nextMs, Math.max(RETRY_MS, rows.at(-1)!.dueAt - clock.now()))
      } catch (error) {
        log.warn({ kind: this.#kind, partition: this.#partition, code: coded(error).code }, 'timers could not be read')
        nextMs = RETRY_MS
      }
    }
    this.#looking = false
    this.#next?.()
    if (!this.#closed) this.#next = clock.setTimeout(() => this.look(), nextMs)
  }

  #arm(row: TimerRow): void {
    const id = timerId(row.tenant, row.key, row.name)
    const armed = this.#armed.get(id)
    if (this.#closed || armed?.dueAt === row.dueAt) return
    armed?.cancel()
    const { clock } = this.#core
    const cancel = clock.setTimeout(() => this.#fire(row), Math.max(0, row.dueAt - clock.now()))
    this.#armed.set(id, { dueAt: row.dueAt, cancel })
  }
}

function timerId(tenant: string, key: string, name: string): string {
  return `${tenant}/${key}/${name}`
}

/** Rows due later than this are not in memory. */
const HORIZON_MS = 600_000
const RETRY_MS = 1_000
const MANY_ROWS = 1_000
