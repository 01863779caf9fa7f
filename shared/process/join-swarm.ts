import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { need } from '#shared/config/config.ts'
import type { Config } from '#shared/config/config.ts'
import { ActorSystem } from '#shared/actor/system.ts'
import type { Store } from '#shared/actor/store.ts'
import { newId } from '#shared/lib/ids.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Logger } from '#shared/lib/logger.ts'
import { connectNats } from '#shared/nats/connect-nats.ts'
import type { NatsCredentials } from '#shared/nats/connect-nats.ts'
import { createLogger } from '#shared/telemetry/logger.ts'
import { Metrics } from '#shared/telemetry/metrics.ts'
import { observeRuntime } from '#shared/telemetry/runtime-metrics.ts'
import type { Transport } from '#shared/transport/port.ts'

/** What a process of any role stands on, the edge included: no database here. */
export interface Swarm {
  readonly config: Config
  readonly role: string
  readonly log: Logger
  readonly metrics: Metrics
  readonly transport: Transport
  readonly system: ActorSystem
}

/** Connects to the broker and makes this process's node; nothing is hosted and nothing started yet. */
export async function joinSwarm(
  config: Config,
  role: string,
  store?: Store,
  clock: Clock = systemClock,
): Promise<Swarm> {
  const node = `${role}-${hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 30)}-${newId().slice(-8)}`
  const log = createLogger({ level: config.logLevel, role, node })
  const metrics = new Metrics(role)
  const { broker, runtime } = config
  const credentials = await credentialsOf(broker)
  const transport = await connectNats({
    url: need(broker.url, 'NATS_URL', role),
    name: node,
    replicas: broker.replicas,
    ...(credentials === null ? {} : { credentials }),
    ...(broker.caFile === null ? {} : { tls: { caFile: broker.caFile } }),
    onError: (error) => log.error({ reason: error.message }, 'something failed where nobody waited for it'),
  })
  const system = new ActorSystem({
    transport,
    node,
    clock,
    log,
    observe: observeRuntime(metrics),
    limits: {
      leaseMs: runtime.leaseMs,
      drainMs: runtime.drainMs,
      handoverMs: runtime.leaseMs / 2,
      tenantLogBytes: runtime.tenantLogBytes,
      commits: Math.ceil(config.database.pool * COMMITS_OF_POOL),
    },
    streams: { eventsMs: runtime.eventsMs, replicas: broker.replicas },
    ...(store === undefined ? { attend: true } : { store }),
  })
  return { config, role, log, metrics, transport, system }
}

/** The other connections are for what actors read, and for runs. */
const COMMITS_OF_POOL = 0.3

/** Runs `leave` once on SIGTERM or SIGINT and then ends the process; a second signal ends it at once. */
export function leaveOnSignal(log: Logger, leave: () => Promise<void>): void {
  let leaving = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (leaving) process.exit(1)
    leaving = true
    log.info({ signal }, 'leaving in good order')
    leave().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ reason: error instanceof Error ? error.message : String(error) }, 'leaving failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

async function credentialsOf(broker: Config['broker']): Promise<NatsCredentials | null> {
  if (broker.credsFile !== null) return { creds: await readFile(broker.credsFile) }
  if (broker.token !== null) return { token: broker.token }
  if (broker.user !== null && broker.password !== null) return { user: broker.user, password: broker.password }
  return null
}
