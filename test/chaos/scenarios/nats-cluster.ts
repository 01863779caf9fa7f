import { EVENTS, COMMANDS } from '#shared/actor/streams.ts'
import { incarnationOf } from '../checks/incarnation.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const SIZE = 3
const KILLS = 3
const KILLS_LONG = 20
const IN_STEP_MS = 30_000

export const natsCluster = scenario({
  name: 'nats-cluster',
  about: 'Three servers with three copies of each stream; the leader of log or commands is killed -9, under load.',
  newestOnly: true,
  async run({ random, long, say, world: open }) {
    const world = await open({ cluster: SIZE })
    const cluster = world.cluster!
    const stage = await setStage(world)
    const problems: string[] = []
    const kills = long ? KILLS_LONG : KILLS
    for (let kill = 0; kill < kills; kill++) {
      await pause(1_500, 3_000, random)
      const stream = kill % 2 === 0 ? EVENTS : COMMANDS
      await eventually(async () => (await cluster.leaderOf(stream)) !== -1, IN_STEP_MS, 250)
      const leader = await cluster.leaderOf(stream)
      if (leader === -1) problems.push(`${stream} has no leader before kill ${kill + 1}`)
      const victim = cluster.servers[Math.max(0, leader)]!
      await victim.kill()
      await pause(2_000, 4_000, random)
      const led = await eventually(async () => (await cluster.leaderOf(stream)) !== -1, IN_STEP_MS, 250)
      if (!led) problems.push(`${stream} got no new leader`)
      await stage.goesOn(`kill ${kill + 1}`)
      await victim.restart()
      const inStep = await eventually(() => cluster.inStep(EVENTS), IN_STEP_MS, 250)
      if (!inStep) problems.push('the copies of the log did not come into step again')
      say(`kill ${kill + 1}, the leader of ${stream}: ${stage.accepted()} accepted`)
    }
    await stage.quiet()
    const settled = await settle(world, { ...stage, incarnation: () => incarnationOf(world) })
    return { problems: [...problems, ...settled.problems], figures: { kills, ...settled.figures } }
  },
})
