import { Log } from '#shared/contracts/log.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { TENANT } from '../world/seed.ts'
import { principalOf } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { scenario } from '../scenario.ts'

const MOVES = 2
const MOVES_LONG = 12
const KILLS_AFTER = 2
const WITHIN_MS = 60_000

export const moveLog = scenario({
  name: 'move-log',
  about:
    'A tenant moves to a stream of its own under load, while nodes are killed -9 or stopped: cursors go on over it.',
  async run({ random, long, say, world: open }) {
    const problems: string[] = []
    const figures: Record<string, number> = { moves: 0, accepted: 0, effects: 0, voided: 0, movedMaxMs: 0 }
    for (let move = 1; move <= (long ? MOVES_LONG : MOVES); move++) {
      const world = await open()
      const stage = await setStage(world, { services: 3 })
      const one = (): (typeof stage.services)[number] => stage.services[Math.floor(random() * stage.services.length)]!
      await pause(1_500, 3_000, random)
      const begun = performance.now()
      const asked = askToMove(world)
      await pause(0, 400, random)
      const victim = one()
      // A dead node is waited for until its lease is over, one that stands still until it is known for stale.
      if (random() < 0.5) {
        await victim.kill()
        await victim.start()
      } else {
        victim.freeze()
        await pause(0, 2 * world.run.leaseMs, random)
        victim.thaw()
      }
      if (!(await asked)) await eventually(() => askToMove(world), WITHIN_MS)
      if (!(await eventually(() => isPlaced(world), WITHIN_MS, 100)))
        problems.push(`move ${move}: no log of its own after ${WITHIN_MS} ms`)
      const took = performance.now() - begun
      for (let kill = 0; kill < KILLS_AFTER; kill++) {
        await stage.goesOn(`move ${move}`)
        await pause(300, 1_500, random)
        const hit = kill === 0 ? stage.gateway! : one()
        await hit.kill()
        await hit.start()
      }
      await stage.goesOn(`move ${move}`)
      await stage.quiet()
      const settled = await settle(world, stage)
      problems.push(...settled.problems.map((problem) => `move ${move}: ${problem}`))
      say(`move ${move}: placed after ${Math.round(took)} ms; ${stage.accepted()} accepted`)
      figures['moves']! += 1
      figures['movedMaxMs'] = Math.max(figures['movedMaxMs']!, Math.round(took))
      for (const name of ['accepted', 'effects', 'voided']) figures[name]! += settled.figures[name] ?? 0
      await world.close()
    }
    return { problems, figures }
  },
})

/** False when whoever was asked did not answer: it may have died of it. */
function askToMove(world: World): Promise<boolean> {
  const keeper = world.outside.reach(principalOf('root', ['platform'])).pool(Log, 'keeper')
  return keeper.ask('move', {}).then(
    () => true,
    () => false,
  )
}

async function isPlaced(world: World): Promise<boolean> {
  const keeper = world.outside.reach(principalOf('checks', ['operator'])).pool(Log, 'keeper')
  const { own } = await keeper.ask('logs', {}).catch(() => ({ own: [] }))
  return own.some(({ tenant }) => tenant === TENANT)
}
