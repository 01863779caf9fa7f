import { EventLog } from '#shared/actor/event-log.ts'
import type { LogView } from '#shared/actor/event-log.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { TENANT } from '../world/seed.ts'
import type { World } from '../world/world.ts'

/** What the tenant has said, wherever it stands by what is written down. */
export async function tenantLog({ transport, database }: World): Promise<LogView> {
  const log = new EventLog(transport, systemClock)
  const place = (await createStore(database).logPlaces()).find(({ tenant }) => tenant === TENANT)?.place ?? null
  if (place === null) return log.shared
  log.incarnation = place.shared
  return log.at(place)
}
