import { setTimeout as delay } from 'node:timers/promises'
import { Log } from '#shared/contracts/log.ts'
import { principalOf } from '../world/world.ts'
import type { World } from '../world/world.ts'

const WITHIN_MS = 30_000
const AGAIN_MS = 200

/** Of the log, as its keeper tells it: the first part of every cursor. Just after a fault it may take a while to answer. */
export async function incarnationOf(world: World): Promise<string> {
  const keeper = world.outside.reach(principalOf('checks', ['operator'])).pool(Log, 'keeper')
  const until = performance.now() + WITHIN_MS
  for (;;) {
    try {
      return (await keeper.ask('logs', {})).incarnation
    } catch (error) {
      if (performance.now() > until) throw error
      await delay(AGAIN_MS)
    }
  }
}
