import { seededRandom } from '#shared/lib/random.ts'
import { settle } from '#test/chaos/checks/settle.ts'
import { setStage } from '#test/chaos/load/stage.ts'
import { eventually } from '#test/chaos/pause.ts'
import { TENANT } from '#test/chaos/world/seed.ts'
import { World } from '#test/chaos/world/world.ts'

import type { Figure, Row } from '../row.ts'
import { RunsUnderWay } from '../runs-under-way.ts'

const KILLS = 100
const QUICK_KILLS = 3
const NODES = 3
const SENDERS = 12
/** Lets every takeover happen many times in a run; production has 6,000. */
const LEASE_MS = 2_000
const BAR_MS = 2 * LEASE_MS
const LATE_MS = 15 * LEASE_MS
const BUSY_MS = 120_000
const SEED = 20_261_130

/**
 * A node with all services is killed -9 while runs are at work on it, again and again: how long until each of them is at
 * work elsewhere, from the kill to the word in the log of whoever has taken it up. Afterwards everything is looked for
 * that must hold: the service behind the tools is outside and counts what was done.
 */
export const figure: Figure = {
  name: 'failover',
  async run({ quick, say }) {
    const random = seededRandom(SEED)
    const run = { seed: SEED, random, leaseMs: LEASE_MS, nats: 'newest' } as const
    const world = await World.open(run, { ownPostgres: '' })
    try {
      const stage = await setStage(world, { services: NODES, senders: SENDERS, viewers: null })
      const runs = new RunsUnderWay(world.transport, TENANT)
      world.closeLater(async () => runs.close())
      const times: number[] = []
      const problems: string[] = []
      const wanted = quick ? QUICK_KILLS : KILLS
      for (let kills = 0; kills < wanted;) {
        const victim = stage.services[Math.floor(random() * NODES)]!
        const { name } = victim.spec
        if (!(await eventually(() => runs.on(name).length > 0, BUSY_MS, 1)))
          throw new Error(`no run was begun on ${name} in ${BUSY_MS} ms; ${stage.senders.problems.join('; ')}`)
        const atWork = runs.on(name)
        const killed = performance.now()
        const waited = atWork.map(async (key) => ({
          key,
          moved: await runs.goesOn(key, LATE_MS),
          at: performance.now(),
        }))
        await victim.kill()
        kills++
        for (const { key, moved, at } of await Promise.all(waited)) {
          if (moved === true) times.push(at - killed)
          else if (moved === null) problems.push(`${key} did not go on after kill ${kills}`)
        }
        // The next one only when it is back: starting a process takes more of the machine than anything that is measured.
        await victim.start()
        if (kills % 10 === 0) say(`${kills} kills, ${times.length} runs went on elsewhere`)
      }
      await stage.quiet()
      const { problems: unheld, figures } = await settle(world, stage)
      for (const problem of [...problems, ...unheld].slice(0, 5)) say(problem)
      const done = [...world.effects.seen.values()]
      const twice = done.filter(({ tool, count, keys }) => (tool === 'plain' && count > 1) || keys.size > 1).length
      const sorted = times.toSorted((a, b) => a - b)
      const note = `${wanted} kills, ${times.length} runs taken up, lease ${LEASE_MS} ms, ${figures['accepted']} messages; repeated where that is harmless: ${figures['repeated']}, in doubt and told: ${figures['unknown']}`
      return [
        row('failover', sorted.at(-1) ?? null, 'ms', `<= ${BAR_MS} ms`, BAR_MS, note),
        { ...row('failover/p50', sorted[Math.floor(sorted.length / 2)] ?? null, 'ms', 'reported', BAR_MS), ok: null },
        row('failover/repeated', twice, 'effects', '0', 0),
        row('failover/unheld', problems.length + unheld.length, 'promises', '0', 0),
      ]
    } finally {
      await world.close()
    }
  },
}

function row(name: string, measured: number | null, unit: string, bar: string, most: number, note?: string): Row {
  const value = measured === null ? null : Math.round(measured)
  const ok = value === null ? null : value <= most
  return { name, value, unit, baseline: null, ratio: null, bar, ok, ...(note === undefined ? {} : { note }) }
}
