import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { directoryOf } from './directory.actor.ts'

/** The directory role: what the edge needs of stored data. */
export function hostDirectory({ system, database, transport }: Service): void {
  system.host(
    directoryOf(database, async (subject, bytes, messageId) => {
      await transport.append(subject, bytes, { messageId })
    }),
  )
}

if (import.meta.main) await runService('directory', hostDirectory)
