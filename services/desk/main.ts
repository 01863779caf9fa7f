import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { desk } from './desk.actor.ts'

/** The desk role: what waits for people. */
export function hostDesk({ system }: Service): void {
  system.host(desk)
}

if (import.meta.main) await runService('desk', hostDesk)
