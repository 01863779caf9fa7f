import type { Reading } from '../facts/reading.ts'
import type { ToolCard } from '../tool-card.ts'
import type { Leaf } from './leaf.ts'
import type { Place } from './spans.ts'

/**
 * The work in progress of filling one tool from one message: which leaves are still open, what was taken for the others,
 * and which places of the message are used up. A place is used once.
 */
export class Filling {
  readonly reading: Reading
  /** Leaves that were open at the start; some may have a value by now. */
  readonly leaves: readonly Leaf[]
  readonly card: ToolCard
  /** What the tool is about and what it calls its slots: words that name no value. */
  readonly toolWords: ReadonlySet<string>
  readonly used: Place[] = []
  readonly values = new Map<Leaf, unknown>()

  constructor(reading: Reading, leaves: readonly Leaf[], card: ToolCard, toolWords: ReadonlySet<string>) {
    this.reading = reading
    this.leaves = leaves
    this.card = card
    this.toolWords = toolWords
  }

  has(leaf: Leaf): boolean {
    return this.values.has(leaf)
  }

  open(wanted: (leaf: Leaf) => boolean): Leaf[] {
    return this.leaves.filter((leaf) => !this.values.has(leaf) && wanted(leaf))
  }

  isFree(place: Place): boolean {
    return !this.used.some((other) => other.start < place.end && other.end > place.start)
  }

  take(leaf: Leaf, value: unknown, place?: Place): void {
    this.values.set(leaf, value)
    if (place !== undefined) this.used.push(place)
  }
}
