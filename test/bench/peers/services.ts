/**
 * Roles of the product in one process, joined as their own main.ts would, but for the model: scripted. The order service
 * behind the tool is no part of the product and runs elsewhere.
 */
import { readConfig } from '#shared/config/config.ts'
import { createModel } from '#shared/models/port.ts'
import { openService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { hostAgents } from '#services/agents/main.ts'
import { hostDesk } from '#services/desk/main.ts'
import { hostGuardrails } from '#services/guardrails/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'
import { hostTools } from '#services/tools/main.ts'

import { servePeer } from '../peer.ts'
import { turnScript } from '../turn-script.ts'

export interface ServicesConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
  readonly name: string
  readonly roles: readonly BenchRole[]
  /** `host:port` of the order service. */
  readonly allow: string
}
export type BenchRole = keyof typeof HOSTS

export type ServicesPeer = {
  /** What it holds in memory. */
  readonly census: (input: null) => ReturnType<Service['system']['census']>
}

const SECRET = 'a secret of the benchmark'

const HOSTS = {
  supervisor: (service: Service) => hostSupervisor(service),
  agents: (service: Service) => hostAgents(service),
  desk: (service: Service) => hostDesk(service),
  guardrails: (service: Service) => hostGuardrails(service),
  tools: (service: Service, allow: string) => void hostTools(service, { allow: [allow] }),
} as const

if (import.meta.main) {
  servePeer<ServicesConfig>(async ({ natsUrl, databaseUrl, name, roles, allow }) => {
    const config = readConfig({
      NATS_URL: natsUrl,
      DATABASE_URL: databaseUrl,
      WAGGLE_SECRET: SECRET,
      LOG_LEVEL: 'error',
    })
    const opened = await openService(config, name)
    const service: Service = {
      ...opened,
      platformModel: { provider: 'scripted', model: 'bench' },
      models: (spec) => createModel(spec, { script: turnScript }),
    }
    for (const role of roles) HOSTS[role](service, allow)
    await service.system.start()
    await service.system.placed()
    return {
      on: { census: () => service.system.census() },
      stop: async () => {
        await service.system.stop()
        await service.close()
      },
    }
  })
}
