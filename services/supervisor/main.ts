import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { logKeeper } from './log.actor.ts'
import { routeOf } from './route.actor.ts'
import { routeSources } from './sources.ts'
import { supervisorOf } from './supervisor.actor.ts'

/** The supervisor role: conversations, the choice of who answers, and the keeper of the log. */
export function hostSupervisor({ system, store, configs, platformModel, models }: Service): void {
  system.host(
    supervisorOf((node) => system.isAlive(node)),
    routeOf({ ...routeSources(configs, platformModel), models }),
    logKeeper(store, () => system.logs),
  )
}

if (import.meta.main) await runService('supervisor', hostSupervisor)
