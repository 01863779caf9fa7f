import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { metric } from '../world/peer.ts'

const FREEZES = 4
const FREEZES_LONG = 30
const HEARD_MS = 15_000

export const frozenHolder = scenario({
  name: 'frozen-holder',
  about:
    'A holder stopped (SIGSTOP) past its lease and woken (SIGCONT): it is refused as stale, nothing happens twice.',
  async run({ random, leaseMs, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world, { senders: 16, viewers: { conversations: 4, viewersEach: 1 } })
    const problems: string[] = []
    const freezes = long ? FREEZES_LONG : FREEZES
    let refused = 0
    for (let freeze = 0; freeze < freezes; freeze++) {
      const frozen = stage.services[freeze % 2]!
      const other = stage.services[(freeze + 1) % 2]!
      // Both hold some before one is stopped, or there would be nothing to be refused.
      if (!(await eventually(async () => (await frozen.look()).partitions > 0, HEARD_MS, 500)))
        problems.push(`${frozen.spec.name} holds nothing`)
      const before = metric(await frozen.look(), 'waggle_releases_total', 'STALE_EPOCH')
      const taken = metric(await other.look(), 'waggle_takeovers_total')
      await pause(200, 800, random)
      frozen.freeze()
      await pause(leaseMs * 1.8, leaseMs * 2.6, random)
      frozen.thaw()
      const stale = async (): Promise<number> =>
        metric(await frozen.look(), 'waggle_releases_total', 'STALE_EPOCH') - before
      if (!(await eventually(async () => (await stale()) > 0, HEARD_MS, 250)))
        problems.push(`${frozen.spec.name} was frozen past its lease and nothing it held was refused`)
      refused += await stale()
      const takeovers = metric(await other.look(), 'waggle_takeovers_total') - taken
      say(`freeze ${freeze + 1}: ${takeovers} partitions taken over, ${await stale()} refused to the stale holder`)
    }
    await stage.quiet()
    const settled = await settle(world, stage)
    return { problems: [...problems, ...settled.problems], figures: { freezes, refused, ...settled.figures } }
  },
})
