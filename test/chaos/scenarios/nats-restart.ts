import { incarnationOf } from '../checks/incarnation.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const KILLS = 4
const KILLS_LONG = 30

export const natsRestart = scenario({
  name: 'nats-restart',
  about: 'NATS killed -9 and started again on the same store, under load: nothing accepted is lost, cursors go on.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world)
    const kills = long ? KILLS_LONG : KILLS
    for (let kill = 0; kill < kills; kill++) {
      await pause(1_000, 2_500, random)
      await world.nats.kill()
      await pause(0, 1_500, random)
      await world.nats.restart()
      await stage.goesOn(`kill ${kill + 1}`)
      say(`kill ${kill + 1}: back after ${Math.round(stage.pauses.ms.at(-1)!)} ms; ${stage.accepted()} accepted`)
    }
    await stage.quiet()
    // A crash of the process loses nothing that was written; should the tail be lost all the same, the log began anew.
    const { problems, figures } = await settle(world, { ...stage, incarnation: () => incarnationOf(world) })
    return { problems, figures: { kills, ...figures } }
  },
})
