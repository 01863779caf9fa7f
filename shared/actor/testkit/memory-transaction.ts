import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { CommitResult, Fence, Step, StoreTransaction } from '../store.ts'
import type { MemoryDatabase } from './memory-store.ts'

const IDLE_IN_TRANSACTION_MS = 3_000

/** Writes are seen by others when it commits; until then it holds the shared lock of its partition. */
export class MemoryTransaction implements StoreTransaction {
  readonly sql: StoreTransaction['sql']
  readonly #db: MemoryDatabase
  readonly #node: string
  readonly #fence: Fence
  readonly #writes = new Map<string, unknown>()
  readonly #release: () => void
  readonly #forget: () => void
  readonly #idle: () => void
  #pending = 0
  #over = false

  constructor(db: MemoryDatabase, node: string, fence: Fence) {
    this.#db = db
    this.#node = node
    this.#fence = fence
    this.#release = db.lockShared(`${fence.kind}/${fence.partition}`)
    this.#forget = db.opened(node, () => this.#close())
    // The server ends a transaction that its client leaves lying, so that a frozen holder cannot hold a takeover.
    this.#idle = db.clock.setTimeout(() => this.#close(), IDLE_IN_TRANSACTION_MS)
    this.sql = { tenant: fence.tenant, query: (text, values = []) => this.#query(text, values) as never }
  }

  get pending(): number {
    return this.#pending
  }

  async commit(step: Step): Promise<CommitResult> {
    await this.#db.trip(this.#node)
    let result: CommitResult
    try {
      if (this.#over) throw new WaggleError('DATABASE_DOWN')
      result = this.#db.apply(this.#node, this.#fence, [step])
      if (result.duplicates.length === 0) for (const [key, value] of this.#writes) this.#db.rows.set(key, value)
    } finally {
      this.#close()
    }
    await this.#db.answer(this.#node)
    return result
  }

  async rollback(): Promise<void> {
    if (this.#over) return
    this.#close()
    await this.#db.trip(this.#node)
  }

  async #query(text: string, values: readonly unknown[]): Promise<unknown[]> {
    this.#pending++
    try {
      await this.#db.trip(this.#node)
      const key = `${this.#fence.tenant}/${String(values[0])}`
      let rows: unknown[] = []
      if (text === 'put') this.#writes.set(key, values[1])
      else if (text === 'get')
        rows = [this.#writes.get(key) ?? this.#db.rows.get(key)].filter((row) => row !== undefined)
      else throw new WaggleError('INTERNAL', { reason: `The memory store does not know: ${text}.` })
      await this.#db.trip(this.#node)
      return rows
    } finally {
      this.#pending--
    }
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#idle()
    this.#release()
    this.#forget()
  }
}
