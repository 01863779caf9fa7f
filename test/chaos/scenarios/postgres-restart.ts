import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const KILLS = 3
const KILLS_LONG = 20
/** A crash of the process must keep what was committed; of the machine it need not here. */
export const KEEPS_COMMITS = 'synchronous_commit = on\nfull_page_writes = on'

export const postgresRestart = scenario({
  name: 'postgres-restart',
  about: 'PostgreSQL killed (kill -9 of the postmaster) and started again, under load: nothing accepted is lost.',
  needsPostgres: true,
  async run({ random, long, say, world: open }) {
    const world = await open({ ownPostgres: KEEPS_COMMITS })
    const stage = await setStage(world)
    const kills = long ? KILLS_LONG : KILLS
    for (let kill = 0; kill < kills; kill++) {
      await pause(1_500, 3_000, random)
      await world.postgres!.kill()
      await pause(0, 3_000, random)
      await world.postgres!.restart()
      await stage.goesOn(`kill ${kill + 1}`)
      say(`kill ${kill + 1}: back after ${Math.round(stage.pauses.ms.at(-1)!)} ms; ${stage.accepted()} accepted`)
    }
    await stage.quiet()
    const { problems, figures } = await settle(world, stage)
    return { problems, figures: { kills, ...figures } }
  },
})
