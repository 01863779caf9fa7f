import type { PageRow } from '#shared/db/repositories/knowledge/pages.ts'

/** Pages that may wait for the one write that is under way. */
const MAX_WAITING = 16

/**
 * Writes pages while the next ones are read: all that came in during one write are the next one, so that a slow disk costs
 * a commit for several pages and a fast one for each. Owned by one attempt; what a write threw is thrown by the next call.
 */
export class PageWriter {
  readonly #write: (pages: readonly PageRow[]) => Promise<void>
  #waiting: PageRow[] = []
  #writing: Promise<void> | null = null
  #failed: { readonly error: unknown } | null = null

  constructor(write: (pages: readonly PageRow[]) => Promise<void>) {
    this.#write = write
  }

  /** Resolves when there is room for another one, not when it is stored. */
  async add(page: PageRow): Promise<void> {
    this.#throwFailed()
    this.#waiting.push(page)
    this.#writing ??= this.#writeWaiting()
    if (this.#waiting.length >= MAX_WAITING) await this.flush()
  }

  /** Resolves when all is stored. */
  async flush(): Promise<void> {
    await this.#writing
    this.#throwFailed()
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0))
    } catch (error) {
      this.#failed = { error }
    } finally {
      this.#writing = null
    }
  }

  #throwFailed(): void {
    if (this.#failed !== null) throw this.#failed.error
  }
}
