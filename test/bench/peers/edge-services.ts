/** What a gateway asks, in one process as the roles' own main.ts would host it: conversations, stored data, the log's keeper. */
import { readConfig } from '#shared/config/config.ts'
import { openService } from '#shared/service/service.ts'
import { hostDirectory } from '#services/directory/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'

import { servePeer } from '../peer.ts'

export interface EdgeServicesConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
  readonly secret: string
}

export type EdgeServicesPeer = Record<never, never>

if (import.meta.main) {
  servePeer<EdgeServicesConfig>(async ({ natsUrl, databaseUrl, secret }) => {
    const config = readConfig({
      NATS_URL: natsUrl,
      DATABASE_URL: databaseUrl,
      WAGGLE_SECRET: secret,
      LOG_LEVEL: 'error',
    })
    const service = await openService(config, 'bench-services')
    hostSupervisor(service)
    hostDirectory(service)
    await service.system.start()
    await service.system.placed()
    return {
      on: {},
      stop: async () => {
        await service.system.stop()
        await service.close()
      },
    }
  })
}
