import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import type { Looked, Peer } from '../world/peer.ts'

const LASTS_MS = 180_000
const LASTS_LONG_MS = 1_800_000
const LOOK_MS = 5_000
/** Caches fill and code is compiled at first; what counts is what comes after. */
const WARM_SHARE = 0.4
/** Of the heap after a collection: a leak of a few kilobytes a turn is several times that. */
const MOST_BYTES_PER_TURN = 4_096
const MOST_GROWTH_BYTES = 24 * 1024 * 1024

interface Sample extends Looked {
  readonly turns: number
  readonly at: number
}

export const soak = scenario({
  name: 'soak',
  about: 'Steady load for 3 minutes (30 with --long): the memory of services and gateway stays where it is.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world, { services: 1, senders: 12, viewers: { conversations: 6, viewersEach: 3 } })
    const lasts = long ? LASTS_LONG_MS : LASTS_MS
    const peers: readonly Peer[] = [...stage.services, stage.gateway!]
    const samples = new Map<Peer, Sample[]>(peers.map((peer) => [peer, []]))
    const begun = performance.now()
    while (performance.now() - begun < lasts) {
      await pause(LOOK_MS, LOOK_MS, random)
      const at = performance.now() - begun
      for (const [peer, list] of samples) list.push({ ...(await peer.look()), turns: stage.accepted(), at })
    }
    await stage.quiet()
    const problems: string[] = []
    const figures: Record<string, number> = {}
    for (const [{ spec }, list] of samples) {
      const after = list.filter(({ at }) => at > lasts * WARM_SHARE)
      const perTurn = slope(after.map(({ turns, heap, external }) => [turns, heap + external]))
      const rssPerMinute = slope(after.map(({ at, rss }) => [at / 60_000, rss]))
      const turns = after.at(-1)!.turns - after[0]!.turns
      const last = after.at(-1)!
      say(
        `${spec.name}: heap ${mb(list[0]!.heap)} -> ${mb(last.heap)} MB, ${Math.round(perTurn)} bytes a turn; rss ${mb(list[0]!.rss)} -> ${mb(last.rss)} MB, ${mb(rssPerMinute)} MB a minute`,
      )
      if (perTurn > MOST_BYTES_PER_TURN && perTurn * turns > MOST_GROWTH_BYTES / 4)
        problems.push(`${spec.name} keeps ${Math.round(perTurn)} bytes of each turn`)
      if (perTurn * turns > MOST_GROWTH_BYTES) problems.push(`${spec.name} grew by ${mb(perTurn * turns)} MB`)
      figures[`${spec.name}HeapMB`] = mb(last.heap)
      figures[`${spec.name}RssMB`] = mb(last.rss)
      figures[`${spec.name}BytesPerTurn`] = Math.round(perTurn)
      figures[`${spec.name}RssMBPerMinute`] = mb(rssPerMinute)
    }
    const settled = await settle(world, stage)
    return {
      problems: [...problems, ...settled.problems],
      figures: { minutes: lasts / 60_000, ...figures, ...settled.figures },
    }
  },
})

/** By least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return under === 0 ? 0 : over / under
}

function mb(bytes: number): number {
  return Math.round(bytes / 1e5) / 10
}
