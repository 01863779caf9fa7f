import { coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import type { HostCore } from './core.ts'
import type { TimerChange, TimerRow } from './store.ts'

/**
 * The reminders of one held partition. The rows are the truth; those due within the horizon are armed in memory, the
 * rest is looked up again before the horizon ends. A reminder fires as an item of its actor, whose transaction deletes
 * the row: a crash in between fires it again, and its id makes the second time a duplicate.
 */
export class Timers {
  readonly #core: HostCore
  readonly #kind: string
  readonly #partition: number
  readonly #fire: (row: TimerRow) => void
  readonly #armed = new Map<string, { readonly dueAt: number; readonly cancel: Cancel }>()
  #look: Cancel | null = null
  #horizon = 0
  #closed = false

  constructor(core: HostCore, kind: string, partition: number, fire: (row: TimerRow) => void) {
    this.#core = core
    this.#kind = kind
    this.#partition = partition
    this.#fire = fire
  }

  async open(): Promise<void> {
    this.#horizon = this.#core.clock.now() + HORIZON_MS
    for (const row of await this.#core.store.timers(this.#kind, this.#partition, this.#horizon)) this.#arm(row)
    if (this.#closed) return
    this.#look?.()
    this.#look = this.#core.clock.setTimeout(() => this.reopen(), HORIZON_MS / 2)
  }

  /** Looks the rows up again; for the next horizon, or after a doubt about the database. */
  reopen(): void {
    if (this.#closed) return
    this.open().catch((error: unknown) => {
      this.#core.log.warn(
        { kind: this.#kind, partition: this.#partition, code: coded(error).code },
        'timers could not be read; looking again soon',
      )
      if (!this.#closed) this.#look = this.#core.clock.setTimeout(() => this.reopen(), RETRY_MS)
    })
  }

  /** A committed change. */
  change(tenant: string, key: string, change: TimerChange): void {
    const id = `${tenant}/${key}/${change.name}`
    this.#armed.get(id)?.cancel()
    this.#armed.delete(id)
    if (change.dueAt !== null && change.dueAt <= this.#horizon)
      this.#arm({ tenant, key, name: change.name, dueAt: change.dueAt, payload: change.payload })
  }

  close(): void {
    this.#closed = true
    this.#look?.()
    for (const armed of this.#armed.values()) armed.cancel()
    this.#armed.clear()
  }

  #arm(row: TimerRow): void {
    const id = `${row.tenant}/${row.key}/${row.name}`
    const armed = this.#armed.get(id)
    if (this.#closed || armed?.dueAt === row.dueAt) return
    armed?.cancel()
    const cancel = this.#core.clock.setTimeout(
      () => {
        this.#armed.delete(id)
        this.#fire(row)
      },
      Math.max(0, row.dueAt - this.#core.clock.now()),
    )
    this.#armed.set(id, { dueAt: row.dueAt, cancel })
  }
}

/** Rows due later than this are not in memory. */
const HORIZON_MS = 600_000
const RETRY_MS = 1_000
