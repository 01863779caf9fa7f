import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { desk } from './desk.actor.ts'
import { team } from './team.actor.ts'

/** The desk role: what waits for people of the tenant, and the queues of their teams. */
export function hostDesk({ system }: Service): void {
  system.host(desk, team)
}

if (import.meta.main) await runService('desk', hostDesk)
