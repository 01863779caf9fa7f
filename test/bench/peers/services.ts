/**
 * Roles of the product in one process, joined as their own main.ts would, but for the model: scripted. The order service
 * behind the tool is no part of the product and runs elsewhere.
 */
import type { ActorSystem } from '#shared/actor/system.ts'
import { readConfig } from '#shared/config/config.ts'
import { createModel } from '#shared/models/port.ts'
import { openService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { hostAgents } from '#services/agents/main.ts'
import { hostDesk } from '#services/desk/main.ts'
import { hostDirectory } from '#services/directory/main.ts'
import { hostGuardrails } from '#services/guardrails/main.ts'
import { hostKnowledge } from '#services/knowledge/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'
import { hostTools } from '#services/tools/main.ts'

import { heldBy } from '../held.ts'
import type { Held } from '../held.ts'
import { servePeer } from '../peer.ts'
import { endlessScript, pacedScript, turnScript } from '../turn-script.ts'

export interface ServicesConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
  readonly name: string
  readonly roles: readonly BenchRole[]
  /** `host:port` of the order service. */
  readonly allow: string
  readonly script: keyof typeof SCRIPTS
  /** When idle actors are put to sleep; default: as their definitions say. */
  readonly sleepAfterMs?: number
}
export type BenchRole = keyof typeof HOSTS

export type ServicesPeer = {
  readonly held: (input: null) => Promise<Held>
}

const SCRIPTS = { turn: turnScript, endless: endlessScript, paced: pacedScript } as const
export type BenchScript = keyof typeof SCRIPTS

const SECRET = 'a secret of the benchmark'

const HOSTS = {
  supervisor: (service: Service) => hostSupervisor(service),
  agents: (service: Service) => hostAgents(service),
  desk: (service: Service) => hostDesk(service),
  directory: (service: Service) => hostDirectory(service),
  guardrails: (service: Service) => hostGuardrails(service),
  knowledge: (service: Service) => hostKnowledge(service),
  tools: (service: Service, allow: string) => void hostTools(service, { allow: [allow] }),
} as const

if (import.meta.main) {
  servePeer<ServicesConfig>(async ({ natsUrl, databaseUrl, name, roles, allow, script, sleepAfterMs }) => {
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
      models: (spec) => createModel(spec, { script: SCRIPTS[script] }),
    }
    if (sleepAfterMs !== undefined) sleepSooner(service.system, sleepAfterMs)
    const ends: (() => Promise<void>)[] = []
    for (const role of roles) {
      const hosted = await HOSTS[role](service, allow)
      if (hosted !== undefined) ends.push(hosted.close)
    }
    await service.system.start()
    await service.system.placed()
    return {
      on: { held: () => heldBy(service.system.census()) },
      stop: async () => {
        await service.system.stop()
        for (const end of ends) await end()
        await service.close()
      },
    }
  })
}

/** Definitions are plain objects: the same actors, but for when they sleep. */
function sleepSooner(system: ActorSystem, sleepAfterMs: number): void {
  const host = system.host.bind(system)
  system.host = (...definitions) =>
    host(
      ...definitions.map((definition) => ('sleepAfterMs' in definition ? { ...definition, sleepAfterMs } : definition)),
    )
}
