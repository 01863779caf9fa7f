import type { RunContext } from '#shared/actor/definition.ts'
import type { DocumentState } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { changeVersion } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionChange, VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { SCOPE } from './state.ts'

/** Pages are told of at most this often; states always. */
const SAY_EVERY_MS = 500

/** Where a version has come to: in its row, and in the log for whoever watches. Owned by one attempt of its run. */
export class Progress {
  readonly #ctx: RunContext
  readonly #row: VersionRow
  #state: DocumentState
  #pagesDone: number
  #pagesTotal: number | null
  #chunks: number
  #said = 0

  constructor(ctx: RunContext, row: VersionRow) {
    this.#ctx = ctx
    this.#row = row
    this.#state = row.state
    this.#pagesDone = row.pagesDone
    this.#pagesTotal = row.pagesTotal
    this.#chunks = row.chunks
  }

  /** Harmless when it is there already. */
  async reach(state: DocumentState, change: VersionChange = {}): Promise<void> {
    this.#ctx.signal.throwIfAborted()
    if (state === this.#state && Object.keys(change).length === 0) return
    this.#state = state
    const { document, version } = this.#row
    await this.#ctx.sql((sql) => changeVersion(sql, document, version, { ...change, state }, this.#ctx.now()))
    this.#say()
  }

  /** Of pages that are stored. */
  page(done: number, total: number | null): void {
    this.#ctx.signal.throwIfAborted()
    this.#pagesDone = done
    this.#pagesTotal = total
    if (this.#ctx.now() - this.#said >= SAY_EVERY_MS) this.#say()
  }

  cut(chunks: number): void {
    this.#chunks = chunks
  }

  #say(): void {
    this.#said = this.#ctx.now()
    const { document: documentId, version, collection, title } = this.#row
    say(
      this.#ctx,
      'document:progress',
      {
        documentId,
        version,
        collection,
        title,
        state: this.#state,
        pagesDone: this.#pagesDone,
        pagesTotal: this.#pagesTotal,
        chunks: this.#chunks,
        error: null,
      },
      SCOPE,
    )
  }
}
