import type { Clock } from '#shared/lib/clock.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { seededRandom } from '#shared/lib/random.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { memoryBroker } from '#shared/transport/memory.ts'
import type { MemoryBroker } from '#shared/transport/memory.ts'
import type { Transport } from '#shared/transport/port.ts'
import type { Faults } from '#shared/transport/memory-faults.ts'
import type { Definition } from '../definition.ts'
import type { Limits } from '../limits.ts'
import type { RuntimeEventMap, RuntimeEventName } from '../observe.ts'
import { EventLog } from '../event-log.ts'
import type { LogView } from '../event-log.ts'
import { EVENTS } from '../streams.ts'
import { ActorSystem } from '../system.ts'
import { MemoryDatabase } from './memory-store.ts'
import { NodeClock, SimClock } from './sim-clock.ts'

/** One thing a node's runtime said about itself. */
export type JournalEntry = {
  [Name in RuntimeEventName]: { readonly node: string; readonly name: Name; readonly event: RuntimeEventMap[Name] }
}[RuntimeEventName]

export interface TestSystemOptions {
  readonly seed?: number
  readonly limits?: Partial<Limits>
  /** One way to the store, milliseconds of virtual time. */
  readonly storeLatencyMs?: number | ((random: () => number) => number)
  readonly brokerFaults?: Partial<Faults>
  readonly log?: (node: string) => Logger
}

/** A log entry as a reader that voids sees it. */
export interface ReadEntry {
  readonly sequence: number
  readonly scope: string
  readonly audience: Audience
  readonly event: LogEvent
  readonly counts: boolean
}

/**
 * A cluster in one process on virtual time: a broker and a database in memory, and as many nodes as a test wants.
 *
 * ```
 * const kit = testSystem()
 * const node = await kit.node('a', counter)
 * await kit.clock.settle(kit.reach().ref(Counter, 'c1').ask('total', {}))
 * await kit.close()      // throws when an activation, timer, call or subscription is left behind
 * ```
 */
export class TestSystem {
  readonly clock = new SimClock()
  readonly random: () => number
  readonly broker: MemoryBroker
  readonly database: MemoryDatabase
  readonly journal: JournalEntry[] = []
  readonly #limits: Partial<Limits>
  readonly #log: (node: string) => Logger
  readonly #nodes = new Map<string, ActorSystem>()
  readonly #clocks = new Map<string, NodeClock>()
  #edge: ActorSystem | null = null

  constructor(options: TestSystemOptions = {}) {
    this.random = seededRandom(options.seed ?? 1)
    this.broker = memoryBroker({ clock: this.clock, random: this.random, faults: options.brokerFaults ?? {} })
    const latency = options.storeLatencyMs ?? 0
    this.database = new MemoryDatabase({
      clock: this.clock,
      random: this.random,
      latencyMs: typeof latency === 'function' ? () => latency(this.random) : () => latency,
    })
    this.#limits = { ...options.limits }
    this.#log = options.log ?? (() => silentLogger)
  }

  /** Starts a node and waits until it holds what it should. */
  async node(name: string, ...definitions: readonly Definition[]): Promise<ActorSystem> {
    const system = this.make(name, definitions)
    await this.clock.settle(system.start())
    return system
  }

  /** The same without waiting for its start. */
  make(name: string, definitions: readonly Definition[] | ((clock: Clock) => readonly Definition[])): ActorSystem {
    const clock = new NodeClock(this.clock)
    this.#clocks.set(name, clock)
    const system = new ActorSystem({
      transport: this.broker.connect(name),
      store: this.database.connect(name),
      node: name,
      clock,
      random: this.random,
      limits: this.#limits,
      streams: { memory: true },
      log: this.#log(name),
      observe: (event, payload) => void this.journal.push({ node: name, name: event, event: payload } as JournalEntry),
    }).host(...(typeof definitions === 'function' ? definitions(clock) : definitions))
    this.#nodes.set(name, system)
    return system
  }

  /** Reaches the swarm from outside, as a gateway does: without a store. */
  reach(tenant = 'acme', user = 'ada'): ReturnType<ActorSystem['reach']> {
    return this.edge().reach(principal(tenant, user))
  }

  edge(): ActorSystem {
    this.#edge ??= new ActorSystem({
      transport: this.broker.connect('edge'),
      node: 'edge',
      clock: this.clock,
      random: this.random,
      limits: this.#limits,
    })
    return this.#edge
  }

  /** Like kill -9: nothing is drained, acknowledged, settled or said. */
  kill(name: string): void {
    this.#clocks.get(name)?.kill()
    this.broker.kill(name)
    this.database.kill(name)
    this.forget(name)
  }

  /** Like SIGSTOP: nothing of the node happens, what is sent to it waits. */
  pause(name: string): void {
    this.#clocks.get(name)?.pause()
    this.broker.pause(name)
    this.database.pause(name)
  }
  /** Like SIGCONT: everything that was due happens now, late. */
  resume(name: string): void {
    this.#clocks.get(name)?.resume()
    this.database.resume(name)
    this.broker.resume(name)
  }

  /** A node that has stopped; it may not be closed a second time. */
  forget(name: string): void {
    this.#nodes.delete(name)
    this.#clocks.delete(name)
  }

  get nodes(): ReadonlyMap<string, ActorSystem> {
    return this.#nodes
  }
  /** Timers that are armed on a node. */
  armed(name: string): number {
    return this.#clocks.get(name)?.armed ?? 0
  }

  /** Names of journal entries about one actor, oldest first. */
  outcomes(address: string): string[] {
    return this.journal
      .filter((entry) => 'address' in entry.event && entry.event.address === address)
      .map((entry) => entry.name)
  }

  /** Resolves when no actor has work: nothing at the broker, nothing at work. */
  async settled(withinMs = 600_000): Promise<void> {
    const transport = this.broker.connect('observer')
    try {
      for (let quiet = 0; quiet < 3;) {
        const { messages } = await this.clock.settle(transport.streamInfo('CMD'))
        const busy = messages > 0 || [...this.#nodes.values()].some((node) => node.census().runs > 0)
        quiet = busy ? 0 : quiet + 1
        await this.clock.advance(10)
        if ((withinMs -= 10) < 0) throw new Error('not settled: commands or runs are left')
      }
    } finally {
      await this.clock.settle(transport.close())
    }
  }

  /** The log of a tenant, wherever it is by what is written down. */
  logOf(tenant: string, transport: Transport): LogView {
    const events = new EventLog(transport, this.clock)
    events.incarnation = this.database.marks.get(EVENTS)?.incarnation ?? ''
    const place = this.database.places.get(tenant)
    return place ? events.at(place) : events.shared
  }

  /** The whole log, with what a reader that voids makes of it. */
  async log(tenant = 'acme'): Promise<ReadEntry[]> {
    const transport = this.broker.connect('observer')
    const entries: ReadEntry[] = []
    const floors = new Map<string, Floors>()
    const read = async (): Promise<void> => {
      for await (const stored of this.logOf(tenant, transport).read({ filters: [`t.${tenant}.ev.>`], from: 1 })) {
        const subject = parseSubject(stored.subject)
        if (subject.lane !== 'ev') continue
        const event = decodeEvent(stored.data)
        const scope = floors.get(subject.scope) ?? new Floors()
        floors.set(subject.scope, scope)
        entries.push({
          sequence: stored.sequence,
          scope: subject.scope,
          audience: subject.audience,
          event,
          counts: scope.admit(event, subject.audience),
        })
      }
    }
    await this.clock.settle(read())
    await this.clock.settle(transport.close())
    return entries
  }

  /** Stops all nodes; throws when something was left behind. */
  async close(): Promise<void> {
    for (const node of this.#nodes.values()) await this.clock.settle(node.stop())
    const calls =
      (this.#edge?.census().calls ?? 0) + [...this.#nodes.values()].reduce((sum, node) => sum + node.census().calls, 0)
    const left = [...this.#nodes.values()]
      .map((node) => node.census())
      .filter((census) => census.partitions + census.activations + census.runs > 0)
    this.broker.close()
    if (left.length > 0 || calls > 0) throw new Error(`left behind: ${JSON.stringify({ left, calls })}`)
  }
}

export function testSystem(options: TestSystemOptions = {}): TestSystem {
  return new TestSystem(options)
}

export function principal(tenant = 'acme', user = 'ada', roles: readonly string[] = ['customer']): Principal {
  return { tenant, user, roles, scopes: [], credential: '' }
}
