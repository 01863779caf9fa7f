import { eventually } from '../pause.ts'
import { freePorts } from '../world/nats-cluster.ts'
import type { Peer, Role } from '../world/peer.ts'
import { SERVICES } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { Senders } from './senders.ts'
import { Viewers } from './viewers.ts'

export interface StageOptions {
  /** Processes of all services; two by default. */
  readonly services?: number
  readonly roles?: readonly Role[]
  readonly senders?: number
  readonly viewers?: {
    readonly conversations: number
    readonly viewersEach: number
    readonly gapMs?: readonly [least: number, most: number]
  } | null
  readonly gatewayEnv?: NodeJS.ProcessEnv
}

/** The usual cast: some processes of services, a gateway under a fixed address, and load on the runtime and on sockets. */
export interface Stage {
  readonly services: readonly Peer[]
  readonly gateway: Peer | null
  readonly senders: Senders
  readonly viewers: Viewers | undefined
  readonly accepted: () => number
  /** Milliseconds until the next message is accepted; a problem when none is in time. */
  readonly goesOn: (after: string) => Promise<void>
  readonly pauses: Pauses
  /** No new messages; resolves when the last ones are accepted. */
  readonly quiet: () => Promise<void>
}

/** How long nothing was accepted after each fault, and those that lasted too long. */
export interface Pauses {
  readonly ms: number[]
  readonly problems: string[]
}

export function pauseFigures({ ms }: Pauses): Record<string, number> {
  if (ms.length === 0) return {}
  const sorted = ms.toSorted((a, b) => a - b)
  return { backP50Ms: Math.round(sorted[Math.floor(sorted.length / 2)]!), backMaxMs: Math.round(sorted.at(-1)!) }
}

const GOES_ON_MS = 45_000
const LOOK_MS = 10
const GAP_MS = [300, 900] as const

export async function setStage(world: World, options: StageOptions = {}): Promise<Stage> {
  const { roles = SERVICES, viewers: wanted = { conversations: 4, viewersEach: 2 } } = options
  const services = Array.from({ length: options.services ?? 2 }, (_, index) =>
    world.peer(`services${index + 1}`, roles),
  )
  // Fixed, so that clients find the gateway again under the address they have.
  const [port = 0] = await freePorts(1)
  const gateway =
    wanted === null ? null : world.peer('gateway', ['gateway'], { PORT: String(port), ...options.gatewayEnv })
  await Promise.all(services.map((peer) => peer.start()))
  await gateway?.start()
  const viewers =
    wanted === null
      ? undefined
      : await Viewers.open(world, { url: `http://127.0.0.1:${port}`, gapMs: GAP_MS, ...wanted })
  const senders = new Senders(world, { conversations: options.senders ?? 6 })
  const accepted = (): number => senders.count + (viewers?.count ?? 0)
  const pauses: Pauses = { ms: [], problems: [] }
  return {
    services,
    gateway,
    senders,
    viewers,
    accepted,
    pauses,
    goesOn: async (after) => {
      const since = performance.now()
      const before = accepted()
      if (!(await eventually(() => accepted() > before, GOES_ON_MS, LOOK_MS)))
        pauses.problems.push(`nothing was accepted for ${GOES_ON_MS} ms after ${after}`)
      pauses.ms.push(performance.now() - since)
    },
    quiet: async () => {
      await Promise.all([senders.stop(), viewers?.stop()])
    },
  }
}
