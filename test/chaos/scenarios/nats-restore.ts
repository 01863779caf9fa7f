import { cp, rm } from 'node:fs/promises'
import { incarnationOf } from '../checks/incarnation.ts'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { eventually, pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const REBORN_MS = 45_000
/** What was asked of a process when the broker went ends by its deadline: that of a tool call is 30 s. */
const SETTLE_MS = 150_000

export const natsRestore = scenario({
  name: 'nats-restore',
  about: 'JetStream restored from an older copy: a new incarnation, lost facts are said again, cursors get a snapshot.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const stage = await setStage(world)
    const problems: string[] = []
    const backup = `${world.nats.store}-backup`
    const restores = long ? 5 : 1
    let lost = 0
    for (let restore = 0; restore < restores; restore++) {
      await pause(1_500, 2_500, random)
      await world.nats.kill()
      await rm(backup, { recursive: true, force: true })
      await cp(world.nats.store, backup, { recursive: true })
      await world.nats.restart()
      const copied = stage.accepted()
      const before = await incarnationOf(world)
      await pause(6_000, 9_000, random)
      lost += stage.accepted() - copied
      await world.nats.kill()
      await rm(world.nats.store, { recursive: true, force: true })
      await cp(backup, world.nats.store, { recursive: true })
      await world.nats.restart()
      await stage.goesOn('the restore')
      say(`the store is that of ${stage.accepted() - copied} accepted messages ago`)
      const anew = async (): Promise<boolean> => (await incarnationOf(world)) !== before
      if (!(await eventually(anew, REBORN_MS, 500))) problems.push('the log lost its tail and is the same incarnation')
    }
    await stage.quiet()
    const settled = await settle(world, {
      ...stage,
      afterLostTail: true,
      withinMs: SETTLE_MS,
      incarnation: () => incarnationOf(world),
    })
    const anew = stage.viewers!.all.filter(({ stretches }) => stretches.length > 1).length
    if (anew === 0) problems.push('no reader was given a snapshot of the new incarnation')
    return {
      problems: [...problems, ...settled.problems],
      figures: { restores, acceptedAfterCopy: lost, readersWithSnapshot: anew, ...settled.figures },
    }
  },
})
