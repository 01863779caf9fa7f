import type { Clock } from '#shared/lib/clock.ts'
import { BrokerCore } from './memory-broker.ts'
import type { BrokerWorld } from './memory-consumer.ts'
import { NO_FAULTS } from './memory-faults.ts'
import type { Faults } from './memory-faults.ts'
import { clockSchedule } from './memory-pipe.ts'
import type { Schedule } from './memory-pipe.ts'
import { MemoryTransport } from './memory-transport.ts'

export interface MemoryBrokerOptions {
  readonly clock: Clock
  /** A seeded generator makes every run of the same program the same. */
  readonly random?: () => number
  readonly faults?: Partial<Faults>
  /** Decides when things happen; the clock's timers if absent. */
  readonly schedule?: Schedule
  /** What a handler threw. It is a bug of the handler; without a listener it is thrown where nobody can overlook it. */
  readonly onError?: (error: Error) => void
}

export interface MemoryBroker {
  /** May be changed at any time. */
  readonly faults: Faults
  connect(node: string): MemoryTransport
  /** Stops a node like SIGSTOP: nothing reaches it and nothing of it gets out, until `resume` lets it all go, late. */
  pause(node: string): void
  resume(node: string): void
  /** Cuts the connections of a node; what is under way in them is lost. It knows, and tries again until `heal`. */
  partition(node: string): void
  heal(node: string): void
  /** The process of the node is gone at once: nothing is drained, acknowledged or settled. */
  kill(node: string): void
  /** The broker itself goes away and comes back; what is stored survives. */
  restart(): void
  /** The last `count` stored sequences vanish, as in a power cut; with `reborn`, `created` changes too. */
  loseTail(stream: string, count: number, options?: { readonly reborn?: boolean }): void
  /** Ends every connection; nothing of the broker is scheduled afterwards. */
  close(): void
}

/**
 * A broker in memory for tests and the simulator: several nodes connect to one. Deterministic for a given clock and
 * random: nothing here waits for anything but the clock, and promises.
 */
export function memoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  const { clock, random = Math.random } = options
  const faults: Faults = { ...NO_FAULTS, ...options.faults }
  const world: BrokerWorld = {
    faults,
    schedule: options.schedule ?? clockSchedule(clock),
    now: () => clock.now(),
    random,
  }
  const core = new BrokerCore(world)
  const transports = new Set<MemoryTransport>()
  const paused = new Set<string>()
  const parted = new Set<string>()
  let count = 0
  const of = (node: string): MemoryTransport[] => [...transports].filter((transport) => transport.node === node)
  const host = {
    core,
    world,
    clock,
    onError: options.onError ?? throwLoudly,
    forget: (transport: MemoryTransport) => void transports.delete(transport),
  }

  return {
    faults,
    connect(node) {
      const transport = new MemoryTransport(node, ++count, host)
      transports.add(transport)
      if (paused.has(node)) transport.pause()
      if (parted.has(node)) transport.disconnect()
      return transport
    },
    pause(node) {
      paused.add(node)
      for (const transport of of(node)) transport.pause()
    },
    resume(node) {
      paused.delete(node)
      for (const transport of of(node)) transport.resume()
    },
    partition(node) {
      parted.add(node)
      for (const transport of of(node)) transport.disconnect()
    },
    heal(node) {
      parted.delete(node)
      for (const transport of of(node)) transport.reconnect()
    },
    kill(node) {
      paused.delete(node)
      parted.delete(node)
      for (const transport of of(node)) transport.kill()
    },
    restart() {
      for (const transport of transports) transport.disconnect()
      for (const transport of transports) if (!parted.has(transport.node)) transport.reconnect()
    },
    loseTail(stream, entries, { reborn = false } = {}) {
      core.stream(stream).loseTail(entries, reborn)
    },
    close() {
      for (const transport of transports) transport.kill()
    },
  }
}

function throwLoudly(error: Error): void {
  queueMicrotask(() => {
    throw error
  })
}
