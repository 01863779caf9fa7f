import { TestSystem } from '#shared/actor/testkit/test-system.ts'
import type { Limits } from '#shared/actor/limits.ts'
import type { Mutations } from '#shared/actor/testkit/memory-store.ts'
import { coerceError } from '#shared/errors/waggle-error.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { Client } from './client.ts'
import { Outside } from './outside.ts'
import { workload } from './workload.ts'

export const SIM_LIMITS: Partial<Limits> = {
  leaseMs: 2_000,
  handoverMs: 1_000,
  drainMs: 2_000,
  ackWaitMs: 4_000,
  window: 64,
  mailbox: 24,
  retryFirstMs: 20,
  retryMaxMs: 400,
  cancelGraceMs: 100,
}

/** One seeded run: a cluster, its clients, the world outside, and a protocol of what was done to them. */
export class World {
  readonly kit: TestSystem
  readonly outside: Outside
  readonly random: () => number
  readonly clients: Client[] = []
  readonly notes: string[] = []
  readonly problems: string[] = []
  storeLatencyMs = 2
  tailLost = false
  #count = 0
  #healed = false

  constructor(seed: number, mutations: Partial<Mutations>) {
    this.random = seededRandom(seed)
    this.kit = new TestSystem({
      seed: seed + 1_000_003,
      limits: SIM_LIMITS,
      log: (node) => this.#logger(node),
      storeLatencyMs: (random) => Math.round(random() * this.storeLatencyMs),
    })
    Object.assign(this.kit.database.mutations, mutations)
    this.outside = new Outside(seededRandom(seed + 2_000_003))
    for (const name of ['u1', 'u2', 'u3'])
      this.clients.push(new Client(this.kit, name, seededRandom(seed * 7 + name.charCodeAt(1)), SIM_LIMITS))
  }

  #logger(node: string): Logger {
    const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      this.note(`${node}: ${message} ${JSON.stringify(fields)}`)
    return { ...silentLogger, warn: say, error: say }
  }

  get alive(): number {
    return this.kit.nodes.size
  }

  note(text: string): void {
    this.notes.push(`${String(Math.round(this.kit.clock.elapsed() % 100_000_000)).padStart(8)} ${text}`)
  }

  pickNode(): string | null {
    const names = [...this.kit.nodes.keys()]
    return names[Math.floor(this.random() * names.length)] ?? null
  }
  pickClient(): string {
    return this.clients[Math.floor(this.random() * this.clients.length)]!.name
  }
  upTo(ms: number): number {
    return Math.round(this.random() * ms)
  }
  /** For what ends a mischief: after healing there is nothing left to end. */
  later(ms: number, work: () => void): void {
    this.kit.clock.setTimeout(() => this.#healed || work(), ms)
  }
  healed(): void {
    this.#healed = true
  }

  join(): void {
    const name = `n${++this.#count}`
    this.note(`${name} joins`)
    const system = this.kit.make(name, (clock) => workload(this.outside, clock))
    system.start().catch((error: unknown) => {
      // What a process manager does: it could not start, so it is ended and begun anew.
      this.note(`${name} could not start: ${coerceError(error).message}`)
      this.kill(name)
      this.kit.clock.setTimeout(() => this.join(), 500)
    })
  }

  kill(name: string): void {
    if (!this.kit.nodes.has(name)) return
    this.note(`${name} is killed`)
    this.kit.kill(name)
  }

  leave(name: string): void {
    this.note(`${name} leaves`)
    const system = this.kit.nodes.get(name)
    if (system === undefined) return
    system.stop().then(
      () => {
        this.note(`${name} has left`)
        if (this.kit.nodes.get(name) === system) this.kill(name)
      },
      (error: unknown) => this.problems.push(`${name} could not leave: ${coerceError(error).message}`),
    )
  }
}
