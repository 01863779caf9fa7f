import { settle } from '../checks/settle.ts'
import { pauseFigures, setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const KILLS = 20
const KILLS_LONG = 100

export const killNode = scenario({
  name: 'kill-node',
  about: 'Two nodes with all services under load, one of them killed -9 and started anew, 20 times (100 with --long).',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world, { senders: 12, viewers: { conversations: 4, viewersEach: 1 } })
    const kills = long ? KILLS_LONG : KILLS
    const down: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      await pause(600, 1_800, random)
      const victim = stage.services[Math.floor(random() * stage.services.length)]!
      const since = performance.now()
      const before = stage.accepted()
      await victim.kill()
      await stage.goesOn(`kill ${kill + 1}`)
      await victim.start()
      down.push(performance.now() - since)
      say(`kill ${kill + 1} of ${kills}: ${stage.accepted()} accepted, ${stage.accepted() - before} while it was down`)
    }
    await stage.quiet()
    const settled = await settle(world, stage)
    const downMs = Math.round(down.reduce((sum, ms) => sum + ms, 0) / down.length)
    return {
      problems: [...stage.pauses.problems, ...settled.problems],
      figures: { kills, downMs, busy: stage.viewers?.busy ?? 0, ...pauseFigures(stage.pauses), ...settled.figures },
    }
  },
})
