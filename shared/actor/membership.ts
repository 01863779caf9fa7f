import { coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import { pack, unpack } from '#shared/wire/codec.ts'
import type { Bucket } from '#shared/transport/port.ts'
import type { Core } from './core.ts'

/**
 * Who is there. Each node renews one entry every third of the lease; an entry whose revision has not moved for a lease
 * *of the observer's own clock* is dead. All of this only suggests who should hold a partition: reads may be stale and
 * clocks may lie, and the epoch still lets at most one act (I1).
 */
export interface NodeView {
  readonly node: string
  /** Kinds of virtual actors it hosts. */
  readonly kinds: readonly string[]
  /** `kind/partition` of what it holds. */
  readonly holds: ReadonlySet<string>
  readonly leaving: boolean
}

export class Membership {
  readonly #core: Core
  readonly #changed: () => void
  readonly #seen = new Map<string, { revision: number; movedAt: number; view: NodeView }>()
  #bucket: Bucket | null = null
  #kinds: readonly string[] = []
  #holds: () => Iterable<string> = () => []
  #leaving = false
  #beat: Cancel | null = null
  #stopWatch: () => void = () => {}
  #closed = false

  constructor(core: Core, changed: () => void) {
    this.#core = core
    this.#changed = changed
  }

  async join(kinds: readonly string[], holds: () => Iterable<string>): Promise<void> {
    this.#kinds = kinds
    this.#holds = holds
    this.#bucket = await this.#core.transport.bucket(NODES, { ttlMs: this.#core.limits.leaseMs * ENTRY_LEASES })
    this.#stopWatch = await this.#bucket.watch((key, entry) => this.#onChange(key, entry))
    for (const [key, entry] of await this.#bucket.entries()) this.#onChange(key, entry)
    await this.renew()
    this.#tick()
  }

  /** The nodes that seem alive, ourselves included unless we leave. */
  live(): NodeView[] {
    const before = this.#core.clock.elapsed() - this.#core.limits.leaseMs
    const views = [...this.#seen.values()]
      .filter(({ movedAt, view }) => movedAt > before && !view.leaving && view.node !== this.#core.node)
      .map(({ view }) => view)
    if (!this.#leaving)
      views.push({ node: this.#core.node, kinds: this.#kinds, holds: new Set(this.#holds()), leaving: false })
    return views
  }

  /** Whether a node still says that it holds this; false for a dead or unknown one. */
  claims(node: string, hold: string): boolean {
    const seen = this.#seen.get(node)
    if (seen === undefined || seen.movedAt <= this.#core.clock.elapsed() - this.#core.limits.leaseMs) return false
    return seen.view.holds.has(hold)
  }

  /** Says now what we hold; called after every change of it. */
  async renew(): Promise<void> {
    if (this.#bucket === null || this.#closed) return
    try {
      await this.#bucket.put(
        this.#core.node,
        pack([1, this.#core.node, this.#kinds, [...this.#holds()], this.#leaving]),
      )
    } catch (error) {
      this.#core.log.warn({ node: this.#core.node, code: coded(error).code }, 'presence could not be renewed')
    }
  }

  async leave(): Promise<void> {
    this.#leaving = true
    await this.renew()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#beat?.()
    this.#stopWatch()
    await this.#bucket?.delete(this.#core.node).catch(() => {})
  }

  /** For a node that is gone without a word (kill): only its timers end. */
  abandon(): void {
    this.#closed = true
    this.#beat?.()
    this.#stopWatch()
  }

  #tick(): void {
    const { clock, limits } = this.#core
    const due = clock.elapsed() + limits.leaseMs / RENEWALS
    this.#beat = clock.setTimeout(() => {
      // A process that stood still has heard nobody: that says nothing about them.
      const stood = clock.elapsed() - due
      if (stood > limits.leaseMs / RENEWALS) for (const seen of this.#seen.values()) seen.movedAt += stood
      void this.renew().then(() => this.#look())
      if (!this.#closed) this.#tick()
    }, limits.leaseMs / RENEWALS)
  }

  /** A watch may have missed something, and silence is noticed only by looking. */
  async #look(): Promise<void> {
    if (this.#bucket === null || this.#closed) return
    try {
      for (const [key, entry] of await this.#bucket.entries()) this.#onChange(key, entry)
    } catch (error) {
      this.#core.log.debug({ code: coded(error).code }, 'presence could not be read')
    }
    const now = this.#core.clock.elapsed()
    for (const [node, seen] of this.#seen) {
      if (now - seen.movedAt > this.#core.limits.leaseMs * ENTRY_LEASES) this.#seen.delete(node)
      else if (now - seen.movedAt > this.#core.limits.leaseMs && !seen.view.leaving) {
        seen.view = { ...seen.view, leaving: true }
        this.#core.observe('node:left', { node })
      }
    }
    if (!this.#closed) this.#changed()
  }

  #onChange(key: string, entry: { readonly value: Uint8Array; readonly revision: number } | null): void {
    if (key === this.#core.node || this.#closed) return
    const seen = this.#seen.get(key)
    if (entry === null) {
      if (seen === undefined || seen.revision === GONE) return
      // Remembered as gone: a follower that lags would bring it back to life. A name is never used again.
      this.#seen.set(key, { ...seen, revision: GONE, view: { ...seen.view, holds: new Set(), leaving: true } })
      this.#core.observe('node:left', { node: key })
      this.#changed()
      return
    }
    // A follower may answer with an older revision than we have seen: time does not move for it.
    if (seen !== undefined && entry.revision <= seen.revision) return
    const view = read(entry.value)
    if (view === null) return
    this.#seen.set(key, { revision: entry.revision, movedAt: this.#core.clock.elapsed(), view })
    if (seen === undefined) this.#core.observe('node:joined', { node: key })
    if (seen === undefined || seen.view.leaving !== view.leaving || !sameSet(seen.view.holds, view.holds))
      this.#changed()
  }
}

const NODES = 'nodes'
const GONE = Number.MAX_SAFE_INTEGER
const RENEWALS = 3
/** Entries of the dead are kept this many leases. */
const ENTRY_LEASES = 5

function read(bytes: Uint8Array): NodeView | null {
  try {
    const [version, node, kinds, holds, leaving] = unpack(bytes) as [number, string, string[], string[], boolean]
    return version === 1 ? { node, kinds, holds: new Set(holds), leaving } : null
  } catch {
    return null
  }
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item))
}
