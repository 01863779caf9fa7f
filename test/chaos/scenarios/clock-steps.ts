import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const STEPS = 12
const STEPS_LONG = 150
/** Within the patience of a request: work goes on. */
const SMALL_MS = 800
/** Beyond it: requests are late for whoever is ahead; nothing may break. */
const LARGE_MS = 4 * 3_600_000
/** What was asked by a clock hours ahead or behind has to end first: it fails by its deadline, or is repeated. */
const AGAIN_MS = 60_000

export const clockSteps = scenario({
  name: 'clock-steps',
  about: 'The wall clocks of processes step back and forth, by less than a second and by hours: no fence reads them.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world)
    const peers = [...stage.services, stage.gateway!]
    const problems: string[] = []
    const steps = long ? STEPS_LONG : STEPS
    for (let step = 0; step < steps; step++) {
      const large = step % 3 === 2
      const reach = large ? LARGE_MS : SMALL_MS
      for (const peer of peers) peer.stepClock(Math.round((random() * 2 - 1) * reach))
      const before = stage.accepted()
      await pause(800, 1_600, random)
      if (!large && !(await eventually(() => stage.accepted() > before, AGAIN_MS)))
        problems.push(`step ${step + 1}: nothing was accepted with clocks less than ${SMALL_MS} ms apart`)
      say(`step ${step + 1}, up to ${reach} ms: ${stage.accepted() - before} accepted`)
    }
    for (const peer of peers) peer.stepClock(0)
    const before = stage.accepted()
    if (!(await eventually(() => stage.accepted() > before, AGAIN_MS)))
      problems.push('nothing was accepted when the clocks were right again')
    await stage.quiet()
    const settled = await settle(world, stage)
    return { problems: [...problems, ...settled.problems], figures: { steps, ...settled.figures } }
  },
})
