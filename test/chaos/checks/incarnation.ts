import { Log } from '#shared/contracts/log.ts'
import { principalOf } from '../world/world.ts'
import type { World } from '../world/world.ts'

/** Of the log, as its keeper tells it: the first part of every cursor. */
export async function incarnationOf(world: World): Promise<string> {
  const keeper = world.outside.reach(principalOf('checks', ['operator'])).pool(Log, 'keeper')
  return (await keeper.ask('incarnation', {})).incarnation
}
