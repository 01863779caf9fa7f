import { EVENTS } from '#shared/actor/streams.ts'
import { NO_FAULTS } from '#shared/transport/memory-faults.ts'
import type { World } from './world.ts'

/** One kind of mischief: how often it is drawn (relative), and what it does. */
interface Mischief {
  readonly weight: number
  readonly name: string
  readonly run: (world: World) => void
}

const LONGEST_PAUSE_MS = 12_000

const MISCHIEF: readonly Mischief[] = [
  { weight: 30, name: 'nothing', run: () => {} },
  {
    weight: 6,
    name: 'kill',
    run: (world) => {
      const node = world.pickNode()
      if (node === null) return
      world.kill(node)
      world.later(world.upTo(4_000), () => world.join())
    },
  },
  { weight: 3, name: 'join', run: (world) => void (world.alive < 4 && world.join()) },
  {
    weight: 4,
    name: 'leave',
    run: (world) => {
      const node = world.pickNode()
      if (node === null || world.alive < 2) return
      world.leave(node)
      world.later(world.upTo(3_000), () => world.join())
    },
  },
  {
    weight: 7,
    name: 'pause',
    run: (world) => {
      const node = world.pickNode()
      if (node === null) return
      world.kit.pause(node)
      world.later(world.upTo(LONGEST_PAUSE_MS), () => world.kit.resume(node))
    },
  },
  {
    weight: 5,
    name: 'broker partition',
    run: (world) => {
      const node = world.random() < 0.25 ? world.pickClient() : world.pickNode()
      if (node === null) return
      world.kit.broker.partition(node)
      world.later(world.upTo(6_000), () => world.kit.broker.heal(node))
    },
  },
  {
    weight: 5,
    name: 'database partition',
    run: (world) => {
      const node = world.pickNode()
      if (node === null) return
      world.kit.database.cut(node)
      world.later(world.upTo(5_000), () => world.kit.database.heal(node))
    },
  },
  {
    weight: 6,
    name: 'broker faults',
    run: (world) => {
      Object.assign(world.kit.broker.faults, {
        lostAckRate: world.random() < 0.5 ? 0.2 : 0,
        lostAppendAnswerRate: world.random() < 0.5 ? 0.05 : 0,
        lateAppendAnswerRate: world.random() < 0.5 ? 0.1 : 0,
        lateAppendAnswerMs: 2_000,
        redeliveryOutOfOrder: world.random() < 0.5,
        staleReadMs: world.random() < 0.5 ? 3_000 : 0,
        latencyMinMs: 0,
        latencyMaxMs: world.random() < 0.5 ? 60 : 2,
      })
    },
  },
  {
    weight: 6,
    name: 'database faults',
    run: (world) => {
      Object.assign(world.kit.database.faults, {
        lostRequestRate: world.random() < 0.3 ? 0.05 : 0,
        lostAnswerRate: world.random() < 0.5 ? 0.05 : 0,
        lateRate: world.random() < 0.5 ? 0.05 : 0,
        lateMs: 3_000,
      })
      world.storeLatencyMs = world.random() < 0.3 ? 80 : 2
    },
  },
  {
    weight: 2,
    name: 'a log of its own',
    run: (world) => {
      // As the platform asks for it; whoever looks next begins to move it.
      if (!world.kit.database.places.has('acme')) world.kit.database.places.set('acme', null)
    },
  },
  { weight: 2, name: 'broker restart', run: (world) => world.kit.broker.restart() },
  {
    weight: 2,
    name: 'lost tail',
    run: (world) => {
      const place = world.kit.database.places.get('acme')
      const stream = place && world.random() < 0.7 ? place.stream : EVENTS
      world.kit.broker.loseTail(stream, Math.ceil(world.random() * 12), { reborn: world.random() < 0.2 })
      world.kit.broker.restart()
      world.tailLost = true
    },
  },
]
const WEIGHT = MISCHIEF.reduce((sum, { weight }) => sum + weight, 0)

export function makeMischief(world: World): void {
  let dice = world.random() * WEIGHT
  for (const { weight, name, run } of MISCHIEF) {
    dice -= weight
    if (dice >= 0) continue
    if (name !== 'nothing') world.note(name)
    return run(world)
  }
}

/** Everything is well again: whoever was stopped goes on, whoever is cut off is back. */
export function heal(world: World): void {
  world.note('heal')
  Object.assign(world.kit.broker.faults, NO_FAULTS)
  Object.assign(world.kit.database.faults, { lostRequestRate: 0, lostAnswerRate: 0, lateRate: 0, lateMs: 0 })
  world.storeLatencyMs = 1
  for (const node of [...world.kit.nodes.keys(), ...world.clients.map((client) => client.name)]) {
    world.kit.broker.heal(node)
    if (world.kit.nodes.has(node)) {
      world.kit.database.heal(node)
      world.kit.resume(node)
    }
  }
  while (world.alive < 2) world.join()
}
