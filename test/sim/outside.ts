import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Mode } from './workload.ts'

/** The world beyond the database: what was really done in it, whatever anybody believes. */
export class Outside {
  /** How often each effect was really performed. */
  readonly performed = new Map<string, number>()
  readonly random: () => number
  readonly #keys = new Set<string>()

  constructor(random: () => number) {
    this.random = random
  }

  chance(rate: number): boolean {
    return this.random() < rate
  }
  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]!
  }

  /** A wait of a node: while it is stopped or dead nothing comes back. */
  hop(clock: Clock): Promise<void> {
    return new Promise((resolve) => void clock.setTimeout(resolve, Math.round(this.random() * 250)))
  }

  async perform(name: string, mode: Mode, clock: Clock): Promise<string> {
    await this.hop(clock)
    if (this.chance(0.1)) throw new WaggleError('TOOL_FAILED', {}, { expected: true })
    // A tool that takes our key does it once, however often it is asked.
    if (mode !== 'keyed' || !this.#keys.has(name)) this.performed.set(name, (this.performed.get(name) ?? 0) + 1)
    this.#keys.add(name)
    await this.hop(clock)
    if (this.chance(0.1)) throw new WaggleError('DEADLINE')
    if (this.chance(0.05)) throw new Error('connection reset')
    return 'paid'
  }
}
