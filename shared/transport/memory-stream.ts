import { WaggleError } from '#shared/errors/waggle-error.ts'
import { filtersOverlap, subjectMatches } from './subject-match.ts'
import { MemoryConsumer } from './memory-consumer.ts'
import type { ConsumerWorld } from './memory-consumer.ts'
import type { Appended, ConsumerSpec, StoredMessage, StreamInfo, StreamSpec } from './port.ts'

/**
 * One stream of the memory broker. Owns its entries, its message ids and its consumers.
 *
 * Invariants: sequences only grow, also over a removed entry; `#lastOf` names the last sequence ever stored for a
 * subject whose entry is still there; a `work` stream never drops an entry that nobody acknowledged.
 */
export class MemoryStream {
  readonly name: string
  readonly consumers = new Map<string, MemoryConsumer>()
  readonly #world: ConsumerWorld
  readonly #entries = new Map<number, StoredMessage>()
  readonly #ids = new Map<string, { readonly sequence: number; readonly at: number }>()
  readonly #counts = new Map<string, number>()
  readonly #lastOf = new Map<string, number>()
  #spec: StreamSpec
  #created: number
  #last = 0
  #bytes = 0

  constructor(spec: StreamSpec, world: ConsumerWorld) {
    this.name = spec.name
    this.#spec = spec
    this.#world = world
    this.#created = world.now()
  }

  get spec(): StreamSpec {
    return this.#spec
  }

  get lastSequence(): number {
    return this.#last
  }

  update(spec: StreamSpec): void {
    if (spec.retention !== this.#spec.retention) {
      throw new WaggleError('CONFLICT', { stream: spec.name, reason: 'The retention of a stream cannot change.' })
    }
    this.#spec = spec
  }

  takes(subject: string): boolean {
    return this.#spec.subjects.some((filter) => subjectMatches(filter, subject))
  }

  /** Stores, or says which sequence has this id already. Throws OVERLOADED or MAILBOX_FULL. */
  store(subject: string, data: Uint8Array, messageId: string): Appended & { readonly previous: number } {
    this.#expire()
    const known = messageId === '' ? undefined : this.#ids.get(messageId)
    if (known) return { sequence: known.sequence, duplicate: true, previous: 0 }
    this.#checkLimits(subject, data)

    const sequence = ++this.#last
    const previous = this.#lastOf.get(subject) ?? 0
    this.#entries.set(sequence, { subject, sequence, data, at: this.#world.now() })
    this.#bytes += data.byteLength
    this.#counts.set(subject, (this.#counts.get(subject) ?? 0) + 1)
    this.#lastOf.set(subject, sequence)
    if (messageId !== '') this.#ids.set(messageId, { sequence, at: this.#world.now() })
    if (this.#spec.retention === 'age') this.#dropOldest()
    return { sequence, duplicate: false, previous }
  }

  startAt(sequence: number): void {
    if (this.#entries.size === 0) this.#last = Math.max(this.#last, sequence - 1)
  }

  offer(): void {
    for (const consumer of this.consumers.values()) consumer.pump()
  }

  open(spec: ConsumerSpec): MemoryConsumer {
    const known = this.consumers.get(spec.durable)
    if (known) {
      if (known.spec.filter !== spec.filter || known.attached) throw overlap(spec, known.spec)
      known.update(spec)
      return known
    }
    for (const other of this.consumers.values()) {
      if (this.#spec.retention === 'work' && filtersOverlap(other.spec.filter, spec.filter)) {
        throw overlap(spec, other.spec)
      }
    }
    const consumer = new MemoryConsumer(spec, this, this.#world)
    this.consumers.set(spec.durable, consumer)
    return consumer
  }

  deleteConsumer(durable: string): boolean {
    const consumer = this.consumers.get(durable)
    this.consumers.delete(durable)
    consumer?.delete()
    return consumer !== undefined
  }

  entry(sequence: number): StoredMessage | undefined {
    return this.#entries.get(sequence)
  }

  /** The first entry matching the filter at or after `from`. */
  next(filter: string, from: number): StoredMessage | undefined {
    for (let sequence = from; sequence <= this.#last; sequence++) {
      const entry = this.#entries.get(sequence)
      if (entry && subjectMatches(filter, entry.subject)) return entry
    }
    return undefined
  }

  remove(sequence: number): boolean {
    const there = this.#entries.has(sequence)
    this.#remove(sequence)
    return there
  }

  acknowledged(sequence: number): void {
    if (this.#spec.retention === 'work') this.#remove(sequence)
  }

  range(filters: readonly string[], from: number, to: number, limit: number): StoredMessage[] {
    this.#expire()
    const found: StoredMessage[] = []
    for (const entry of this.#entries.values()) {
      if (entry.sequence > to || found.length >= limit) break
      if (entry.sequence >= from && filters.some((filter) => subjectMatches(filter, entry.subject))) found.push(entry)
    }
    return found
  }

  last(subject: string): StoredMessage | null {
    this.#expire()
    return this.#entries.get(this.#lastOf.get(subject) ?? 0) ?? null
  }

  at(sequence: number): StoredMessage | null {
    this.#expire()
    return this.#entries.get(sequence) ?? null
  }

  info(subjectFilter: string | undefined): StreamInfo {
    this.#expire()
    const subjects = new Map<string, number>()
    for (const [subject, count] of this.#counts) {
      if (subjectFilter !== undefined && subjectMatches(subjectFilter, subject)) subjects.set(subject, count)
    }
    const first = this.#entries.keys().next()
    return {
      created: this.#created,
      firstSequence: first.done ? this.#last + 1 : first.value,
      lastSequence: this.#last,
      messages: this.#entries.size,
      subjects,
    }
  }

  /** A power cut: the last entries and their ids were never on the disk. Sequences are used again. */
  loseTail(count: number, reborn: boolean): void {
    this.#last = Math.max(0, this.#last - count)
    for (const sequence of this.#entries.keys()) if (sequence > this.#last) this.#remove(sequence)
    for (const [id, { sequence }] of this.#ids) if (sequence > this.#last) this.#ids.delete(id)
    for (const consumer of this.consumers.values()) consumer.rewind(this.#last)
    if (reborn) this.#created = Math.max(this.#created + 1, this.#world.now())
  }

  #checkLimits(subject: string, data: Uint8Array): void {
    const { retention, maxMessages = Infinity, maxBytes = Infinity, maxPerSubject = Infinity } = this.#spec
    if (retention === 'age') return
    if ((this.#counts.get(subject) ?? 0) >= maxPerSubject) {
      throw new WaggleError('MAILBOX_FULL', { stream: this.name, limit: maxPerSubject })
    }
    if (this.#entries.size >= maxMessages || this.#bytes + data.byteLength > maxBytes) {
      throw new WaggleError('OVERLOADED', { stream: this.name })
    }
  }

  #dropOldest(): void {
    const { maxMessages = Infinity, maxBytes = Infinity } = this.#spec
    for (const sequence of this.#entries.keys()) {
      if (this.#entries.size <= maxMessages && this.#bytes <= maxBytes) break
      this.#remove(sequence)
    }
  }

  #expire(): void {
    const now = this.#world.now()
    for (const [id, { at }] of this.#ids) {
      if (now - at < this.#spec.duplicateWindowMs) break
      this.#ids.delete(id)
    }
    const { retention, maxAgeMs = Infinity } = this.#spec
    if (retention !== 'age') return
    for (const entry of this.#entries.values()) {
      if (now - entry.at < maxAgeMs) break
      this.#remove(entry.sequence)
    }
  }

  #remove(sequence: number): void {
    const entry = this.#entries.get(sequence)
    if (!entry) return
    this.#entries.delete(sequence)
    this.#bytes -= entry.data.byteLength
    const left = (this.#counts.get(entry.subject) ?? 1) - 1
    if (left > 0) this.#counts.set(entry.subject, left)
    else this.#counts.delete(entry.subject)
    if (this.#lastOf.get(entry.subject) === sequence) this.#recallLast(entry.subject, left > 0)
  }

  #recallLast(subject: string, some: boolean): void {
    this.#lastOf.delete(subject)
    if (!some) return
    for (const entry of this.#entries.values()) if (entry.subject === subject) this.#lastOf.set(subject, entry.sequence)
  }
}

function overlap(spec: ConsumerSpec, other: ConsumerSpec): WaggleError {
  return new WaggleError('CONFLICT', {
    stream: spec.stream,
    durable: spec.durable,
    holds: other.durable,
    reason: 'Another consumer of this work queue has an overlapping filter.',
  })
}
