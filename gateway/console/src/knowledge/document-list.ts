/**
 * The documents of a collection as they are now: read over REST, and kept current by the watch over the swarm, which
 * tells page by page how far a document is. It is read again while something is open, since a watch that was cut, or a
 * reader who may not watch, hears nothing.
 *
 * Owns one timer and at most one request. `close` ends both; what comes later is dropped.
 */
import { knownEntry } from '#gateway/client/known-entry.ts'
import { failureOf } from '#gateway/client/request-failed.ts'
import { Store } from '#gateway/client/store.ts'
import type { Schedule, Subscribable } from '#gateway/client/store.ts'
import type { Swarm } from '#gateway/client/swarm.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import type { EventPayload } from '#shared/contracts/event-map.ts'
import type { DocumentSummary } from '#shared/contracts/knowledge.ts'
import type { Api } from '../api.ts'
import { isOpen } from './document-words.ts'

const LOOK_EVERY_MS = 2_000
const PAGE_SIZE = 100

export interface DocumentsView {
  /** Null: not read yet. */
  readonly documents: readonly DocumentSummary[] | null
  readonly more: boolean
  readonly error: ClientError | null
}

interface Listed {
  readonly documents: readonly DocumentSummary[]
  readonly next: string | null
}

export class DocumentList implements Subscribable<DocumentsView> {
  readonly #api: Api
  readonly #collection: string
  readonly #store: Store<DocumentsView>
  readonly #gone = new AbortController()
  readonly #leave: () => void
  #pages = 1
  #looking = false
  #again = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: Api, swarm: Pick<Swarm, 'onEntry'>, collection: string, schedule: Schedule) {
    this.#store = new Store<DocumentsView>({ documents: null, more: false, error: null }, schedule)
    this.#api = api
    this.#collection = collection
    this.#leave = swarm.onEntry((entry) => {
      const known = knownEntry(entry)
      if (known?.type === 'document:progress' && known.payload.collection === collection) this.#hear(known.payload)
      else if (known?.type === 'document:removed' && known.payload.collection === collection) this.look()
    })
    this.look()
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener)
  readonly getSnapshot = (): DocumentsView => this.#store.getSnapshot()

  readonly close = (): void => {
    this.#gone.abort()
    this.#leave()
    clearTimeout(this.#timer)
  }

  readonly showMore = (): void => {
    this.#pages += 1
    this.look()
  }

  /** Reads it anew; during a reading, once more behind it. */
  readonly look = (): void => {
    if (this.#looking) this.#again = true
    else void this.#read()
  }

  async #read(): Promise<void> {
    this.#looking = true
    clearTimeout(this.#timer)
    try {
      const { documents, next } = await this.#list()
      if (!this.#gone.signal.aborted) this.#store.set({ documents, more: next !== null, error: null })
    } catch (thrown) {
      if (!this.#gone.signal.aborted) this.#store.set({ ...this.#store.latest, error: failureOf(thrown) })
    }
    this.#looking = false
    if (this.#gone.signal.aborted) return
    if (this.#again) {
      this.#again = false
      return this.look()
    }
    const { documents, error } = this.#store.latest
    if (error !== null || documents?.some(isOpen) === true) this.#timer = setTimeout(this.look, LOOK_EVERY_MS)
  }

  async #list(): Promise<Listed> {
    const documents: DocumentSummary[] = []
    let after: string | null = null
    for (let page = 0; page < this.#pages && (page === 0 || after !== null); page += 1) {
      const query = new URLSearchParams({ collection: this.#collection, limit: String(PAGE_SIZE) })
      if (after !== null) query.set('after', after)
      const listed: Listed = await this.#api<Listed>(`documents?${query.toString()}`, { signal: this.#gone.signal })
      documents.push(...listed.documents)
      after = listed.next
    }
    return { documents, next: after }
  }

  /** Progress is shown at once; what is new, or has come to an end, is read whole. */
  #hear({ documentId, version, state, pagesDone, pagesTotal, chunks, error }: EventPayload<'document:progress'>): void {
    const { documents } = this.#store.latest
    const known = documents?.find(({ id }) => id === documentId)
    if (documents === null || known === undefined || known.version !== version || !isOpen({ state })) return this.look()
    const heard = { ...known, state, pagesDone, pagesTotal, chunks, error }
    this.#store.set({
      ...this.#store.latest,
      documents: documents.map((document) => (document === known ? heard : document)),
    })
  }
}
