import { COMMANDS } from '#shared/actor/streams.ts'
import type { Mutations } from '#shared/actor/testkit/memory-store.ts'
import { heal, makeMischief } from './chaos.ts'
import { checkActivations, checkWorld } from './checks.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly mutations?: Partial<Mutations>
  /** False: the reader of the log counts every entry, void or not. */
  readonly voiding?: boolean
  readonly steps?: number
  /** How long it may take to settle when all is well again, milliseconds of virtual time. */
  readonly settleMs?: number
}

export interface SimulationResult {
  readonly problems: readonly string[]
  readonly notes: readonly string[]
  readonly handled: number
}

export const DEFAULT_STEPS = 70
const STEP_MS = 500
const SETTLE_MS = 900_000

/** One run of the world under faults, healed and settled, then checked. The same options give the same run. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options.seed, options.mutations ?? {})
  const { kit } = world
  for (let count = 2 + Math.floor(world.random() * 2); count > 0; count--) world.join()
  await kit.clock.advance(2_000)
  for (let step = 0; step < (options.steps ?? DEFAULT_STEPS); step++) {
    makeMischief(world)
    await kit.clock.advance(world.random() * STEP_MS * 2)
  }
  world.healed()
  heal(world)
  await kit.clock.advance(3_000)
  for (const client of world.clients) client.stop()
  const settled = await settle(world, options.settleMs ?? SETTLE_MS)
  checkActivations(world)
  if (!settled) world.problems.push(`not settled: ${leftOver(world)}`)
  else await checkWorld(world, options.voiding ?? true)
  kit.broker.close()
  return { problems: world.problems, notes: world.notes, handled: kit.database.commits.length }
}

async function settle(world: World, withinMs: number): Promise<boolean> {
  const { kit } = world
  let clientsDone = false
  void Promise.all(world.clients.map((client) => client.done)).then(() => (clientsDone = true))
  const observer = kit.broker.connect('observer')
  for (let waited = 0; waited < withinMs; waited += 1_000) {
    await kit.clock.advance(1_000)
    if (!clientsDone || leftInDatabase(world) !== '') continue
    const { messages } = await kit.clock.settle(observer.streamInfo(COMMANDS))
    if (messages > 0) continue
    // Long enough for every actor to fall asleep.
    await kit.clock.advance(20_000)
    return leftInDatabase(world) === ''
  }
  return false
}

function leftInDatabase({ kit }: World): string {
  const { outbox, runs, timers } = kit.database
  const unsent = [...outbox.values()].filter((row) => row.relayedAt === null).length
  const running = [...runs.values()].filter((run) => run.state === 'running' || run.state === 'waiting').length
  return unsent + running + timers.size === 0 ? '' : `${unsent} rows unsent, ${running} runs, ${timers.size} timers`
}

function leftOver(world: World): string {
  const census = [...world.kit.nodes].map(([name, node]) => `${name} ${JSON.stringify(node.census())}`)
  return `${leftInDatabase(world) || 'nothing in the database'}; ${census.join(', ')}; clients ${world.clients.map((client) => client.openCalls).join(',')}`
}
