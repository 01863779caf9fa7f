import type { World, WorldOptions } from './world/world.ts'

/** One fault, done again and again under load, and what must hold afterwards. Its file has its name. */
export interface Scenario {
  readonly name: string
  /** One sentence: what is done, and what is expected. */
  readonly about: string
  /** Needs what only a current broker has (a cluster): left out with `--nats oldest`. */
  readonly newestOnly?: boolean
  /** Needs a PostgreSQL of its own; skipped where there is none. */
  readonly needsPostgres?: boolean
  readonly run: (run: Run) => Promise<Outcome>
}

export interface Run {
  readonly seed: number
  /** Seeded: decides who is hit, when, and what is asked. (When exactly a process is hit is the machine's doing.) */
  readonly random: () => number
  readonly leaseMs: number
  /** Takes its time: more faults, longer soaks. */
  readonly long: boolean
  readonly nats: 'oldest' | 'newest'
  readonly say: (line: string) => void
  /** Broker, database, processes; what was opened is closed when the scenario is over, however it ends. */
  readonly world: (options?: WorldOptions) => Promise<World>
}

export interface Outcome {
  /** What does not hold; none means passed. */
  readonly problems: readonly string[]
  readonly figures: Readonly<Record<string, number | string>>
}

export function scenario(definition: Scenario): Scenario {
  return definition
}
