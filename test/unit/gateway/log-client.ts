import type { Entry, PublicEntry } from '#gateway/log/entry.ts'
import type { LogReader, Opening } from '#gateway/log/log-reader.ts'
import type { SnapshotBody } from '#gateway/log/reader.ts'
import type { Sink } from '#gateway/log/sink.ts'
import { View } from '#gateway/log/view.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { parseCursor } from '#shared/wire/cursor.ts'
import { assert } from '#test/kit/suite.ts'
import { customer, operator } from './log-world.ts'
import type { LogWorld } from './log-world.ts'

/**
 * A client as the protocol wants it: keeps what it got and its last cursor, replaces everything on a snapshot, and
 * comes again with the cursor, to any gateway. Fails at once when an entry comes twice, early, late, or is not for it.
 */
export class LogClient {
  readonly #world: LogWorld
  readonly scope: string
  readonly ops: boolean
  /** Place of the last snapshot: its state stands for everything that counts up to it. */
  #base = 0
  #after: number[] = []
  entries: Entry[] = []
  snapshots: Snapshot[] = []
  cursor: string | undefined
  full = false
  failure: WaggleError | null = null
  problems: string[] = []
  snapshotBody: SnapshotBody
  #opening: Opening | null = null
  #generation = 0

  constructor(world: LogWorld, scope = 'c1', ops = false) {
    this.#world = world
    this.scope = scope
    this.ops = ops
    this.snapshotBody = {
      conversationId: scope,
      messages: [],
      turns: [],
      control: { owner: 'agent', mode: 'auto', control: 0 },
      staff: null,
    }
  }

  /** Sequences, in the order in which they came; up to the last snapshot, those that it stands for. */
  get received(): number[] {
    return [...this.expected().filter((known) => known <= this.#base), ...this.#after]
  }

  get connected(): boolean {
    return this.#opening !== null
  }

  async connect(reader: LogReader, principal: Principal = this.ops ? operator() : customer()): Promise<void> {
    const generation = ++this.#generation
    this.failure = null
    const common = {
      conversationId: this.scope,
      after: this.cursor,
      takeSnapshot: () => Promise.resolve(this.snapshotBody),
    }
    const opening = this.ops
      ? await reader.open({ ...common, view: View.operator(principal), sink: this.#sink<Entry>(generation) })
      : await reader.open({ ...common, view: View.customer(principal), sink: this.#sink<PublicEntry>(generation) })
    if (generation !== this.#generation) {
      opening.close()
      return
    }
    if (opening.snapshot !== null) this.#replace(opening.snapshot)
    this.#opening = opening
    opening.start()
  }

  disconnect(): void {
    this.#generation++
    this.#opening?.close()
    this.#opening = null
  }

  expected(): number[] {
    return this.#world.truth(this.scope, this.ops ? ['pub', 'ops'] : ['pub'])
  }

  check(): void {
    assert.equal(this.problems, [], `${this.scope}${this.ops ? ' (ops)' : ''}`)
    const expected = this.expected()
    const missing = expected.filter((sequence) => !this.received.includes(sequence))
    const wrong = this.received.filter((sequence) => !expected.includes(sequence))
    assert.equal({ missing, wrong }, { missing: [], wrong: [] }, `${this.scope}${this.ops ? ' (ops)' : ''}`)
    assert.equal(this.received, expected)
  }

  #sink<E extends Entry>(generation: number): Sink<E> {
    return {
      entries: (batch) => {
        if (generation !== this.#generation) this.problems.push('something came after close')
        for (const entry of batch) this.#take(entry)
      },
      snapshot: (snapshot) => {
        if (generation !== this.#generation) this.problems.push('something came after close')
        this.#replace(snapshot)
      },
      congested: () => this.full,
      failed: (error) => {
        this.failure = error
        this.#opening = null
      },
    }
  }

  #take(entry: Entry): void {
    const last = this.#after.at(-1) ?? this.#base
    const { sequence, audience, wire } = entry
    if (sequence <= last) this.problems.push(`${sequence} came after ${last}`)
    if (audience !== 'pub' && !(this.ops && audience === 'ops'))
      this.problems.push(`${audience} is not for this client`)
    if (wire.conversationId !== this.scope) this.problems.push(`${wire.conversationId} was not asked for`)
    this.#after.push(sequence)
    this.entries.push(entry)
    this.cursor = wire.cursor
  }

  #replace(snapshot: Snapshot): void {
    const { sequence } = parseCursor(snapshot.cursor)!
    this.snapshots.push(snapshot)
    this.#base = sequence
    this.#after = []
    this.entries = this.entries.filter((known) => known.sequence <= sequence)
    this.cursor = snapshot.cursor
  }
}
