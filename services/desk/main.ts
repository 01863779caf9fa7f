import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { team } from './team.actor.ts'

/** The desk role: what waits for people of the tenant. */
export function hostDesk({ system }: Service): void {
  system.host(team)
}

if (import.meta.main) await runService('desk', hostDesk)
