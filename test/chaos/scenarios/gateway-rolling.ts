import { settle } from '../checks/settle.ts'
import { Viewers } from '../load/viewers.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'
import { Balancer } from '../world/balancer.ts'
import { SERVICES } from '../world/world.ts'

const CONVERSATIONS = 50
const VIEWERS_EACH = 10
const GATEWAYS = 2
const ROUNDS_LONG = 10
const BACK_MS = 240_000
const SPREAD_MS = 250
/** Of those that a gateway sent away: more at the same moment would be a herd. */
const MOST_AT_ONCE = 0.8

export const gatewayRolling = scenario({
  name: 'gateway-rolling',
  about:
    'Two gateways restarted one after the other with 500 clients: nothing lost or doubled, nobody returns as a herd.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const balancer = await Balancer.listen()
    world.closeLater(() => balancer.close())
    const services = world.started('services', SERVICES)
    const gateways = Array.from({ length: GATEWAYS }, (_, index) => world.peer(`gateway${index + 1}`, ['gateway']))
    await Promise.all([services, ...gateways.map((gateway) => gateway.start())])
    const route = (): void => balancer.route(gateways.filter(({ runs }) => runs).map(({ url }) => url))
    route()
    const viewers = await Viewers.open(world, {
      url: balancer.url,
      conversations: CONVERSATIONS,
      viewersEach: VIEWERS_EACH,
      gapMs: [4_000, 12_000],
    })
    const problems: string[] = []
    const live = (): number => viewers.all.filter((viewer) => viewer.live).length
    const allLive = (): Promise<boolean> => eventually(() => live() === viewers.all.length, BACK_MS, 100)
    if (!(await allLive())) problems.push(`only ${live()} of ${viewers.all.length} came in`)
    say(`${live()} clients are connected`)
    let moved = 0
    let peak = 0
    let back = 0
    for (let round = 0; round < (long ? ROUNDS_LONG : 1); round++) {
      for (const gateway of gateways) {
        await pause(2_000, 3_000, random)
        const since = performance.now()
        // As a rolling update does: no new connections first, then SIGTERM, then the new one.
        balancer.route(gateways.filter((other) => other !== gateway).map(({ url }) => url))
        if (!(await gateway.leave())) problems.push(`${gateway.spec.name} did not leave in good order`)
        await gateway.start()
        route()
        if (!(await allLive())) problems.push(`only ${live()} of ${viewers.all.length} came back`)
        const returns = viewers.all.flatMap(({ connectedAt }) => connectedAt.filter((at) => at > since))
        const most = mostWithin(returns, SPREAD_MS)
        moved += returns.length
        peak = Math.max(peak, most / Math.max(1, returns.length))
        back = Math.max(back, ...returns.map((at) => at - since))
        say(`${gateway.spec.name} restarted: ${returns.length} came back, at most ${most} within ${SPREAD_MS} ms`)
      }
    }
    if (peak > MOST_AT_ONCE) problems.push(`${Math.round(peak * 100)} % came back within ${SPREAD_MS} ms`)
    await viewers.stop()
    const settled = await settle(world, { viewers, withinMs: BACK_MS })
    const snapshots = viewers.all.filter(({ stretches }) => stretches.length > 1).length
    return {
      problems: [...problems, ...settled.problems],
      figures: {
        clients: viewers.all.length,
        moved,
        lastBackMs: Math.round(back),
        peakShare: Math.round(peak * 100) / 100,
        snapshots,
        ...settled.figures,
      },
    }
  },
})

function mostWithin(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  let most = 0
  let first = 0
  sorted.forEach((at, index) => {
    while (at - sorted[first]! > windowMs) first++
    most = Math.max(most, index - first + 1)
  })
  return most
}
