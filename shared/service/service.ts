import { need, readConfig } from '#shared/config/config.ts'
import type { Config } from '#shared/config/config.ts'
import type { Store } from '#shared/actor/store.ts'
import { openDatabase } from '#shared/db/database.ts'
import type { Database } from '#shared/db/database.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { masterKey } from '#shared/db/envelope.ts'
import { Secrets } from '#shared/db/secrets.ts'
import { tenantConfigs } from '#shared/db/tenant-config.ts'
import type { TenantConfig } from '#shared/db/tenant-config.ts'
import type { FreshCache } from '#shared/lib/fresh-cache.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { Seal } from '#shared/lib/seal.ts'
import { BreakerBoard, createModel } from '#shared/models/port.ts'
import type { ChatModel, ModelSpec } from '#shared/models/port.ts'
import { joinSwarm, leaveOnSignal } from '#shared/process/join-swarm.ts'
import type { Swarm } from '#shared/process/join-swarm.ts'

/** What a role behind the broker is given. */
export interface Service extends Swarm {
  readonly database: Database
  readonly store: Store
  readonly configs: FreshCache<TenantConfig>
  /** What an agent without a model of its own speaks to. */
  readonly platformModel: Omit<ModelSpec, 'tenant'>
  readonly models: (spec: ModelSpec) => ChatModel
  readonly seal: Seal
  /** Stored secrets of tenants, by name. */
  readonly secrets: Secrets
  /** After `system.stop()`: gives the connections back. */
  readonly close: () => Promise<void>
}

export async function openService(config: Config, role: string, clock: Clock = systemClock): Promise<Service> {
  const database = await openDatabase({
    url: need(config.database.url, 'DATABASE_URL', role),
    poolSize: config.database.pool,
    leaseMs: config.runtime.leaseMs,
    name: `waggle ${role}`,
  })
  await database.migrate()
  const store = createStore(database)
  const swarm = await joinSwarm(config, role, store, clock)
  const secret = need(config.secret, 'WAGGLE_SECRET', role)
  const breakers = new BreakerBoard(clock)
  return {
    ...swarm,
    database,
    store,
    configs: tenantConfigs(database),
    platformModel: platformModel(config),
    models: (spec) => createModel(spec, { breakers }),
    seal: new Seal(secret),
    secrets: new Secrets([masterKey('main', secret)]),
    close: async () => {
      await swarm.transport.close()
      await database.close()
    },
  }
}

/** One role as a process of its own: host, start, and leave in good order on SIGTERM. */
export async function runService(role: string, host: (service: Service) => void | Promise<void>): Promise<void> {
  const service = await openService(readConfig(process.env), role)
  await host(service)
  await service.system.start()
  service.log.info({ held: service.system.census().partitions }, `${role} is up`)
  leaveOnSignal(service.log, async () => {
    await service.system.stop()
    await service.close()
  })
}

function platformModel({ models }: Config): Omit<ModelSpec, 'tenant'> {
  if (models.provider === 'builtin') return { provider: 'builtin' }
  return {
    provider: 'openai',
    ...(models.name === null ? {} : { model: models.name }),
    ...(models.apiKey === null ? {} : { apiKey: models.apiKey }),
    ...(models.baseUrl === null ? {} : { baseUrl: models.baseUrl }),
  }
}
