import { join } from 'node:path'
import { PLATFORM } from '#shared/actor/core.ts'
import { need, readConfig } from '#shared/config/config.ts'
import { BLOBS } from '#shared/contracts/ingestion.ts'
import { Log } from '#shared/contracts/log.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { Seal } from '#shared/lib/seal.ts'
import { joinSwarm, leaveOnSignal } from '#shared/process/join-swarm.ts'
import type { Swarm } from '#shared/process/join-swarm.ts'
import { openAuthenticator } from './auth/authenticator.ts'
import { ConversationAccess } from './auth/conversation-access.ts'
import { Doorman } from './auth/doorman.ts'
import { RateLimiter } from './auth/rate-limiter.ts'
import { httpServer } from './http/http-server.ts'
import type { Keeper } from './log/floors-book.ts'
import { LogReader } from './log/log-reader.ts'
import { Presence } from './presence/presence.ts'
import { openSockets } from './sockets/socket-server.ts'

export interface Gateway {
  readonly url: string
  readonly close: () => Promise<void>
}

/** How long requests may go on when the gateway leaves. */
const DRAIN_MS = 5_000

/** The edge: no database, no model. The system must have been started. */
export async function startGateway(swarm: Swarm, clock: Clock = systemClock): Promise<Gateway> {
  const { config, system, transport, metrics, log } = swarm
  const { auth, http } = config
  const seal = new Seal(need(config.secret, 'WAGGLE_SECRET', 'gateway'))
  const keeper: Keeper = (tenant) => system.reach({ ...PLATFORM, tenant }).pool(Log, 'keeper')
  const reader = new LogReader({ transport, keeper, metrics, log, clock })
  const shared = {
    system,
    reader,
    doorman: new Doorman(await openAuthenticator(system, { ...auth, seal }, clock), metrics, clock),
    access: new ConversationAccess(system, clock),
    limiter: new RateLimiter(http.rate, clock),
    presence: new Presence(transport, clock),
    metrics,
    log,
    clock,
    corsOrigins: http.corsOrigins,
    trustProxy: http.trustProxy,
  }
  const objects = await transport.objects(BLOBS)
  const consoleDir = join(import.meta.dirname, 'console', 'dist')
  await reader.start()
  const { app, close } = await httpServer({ ...shared, objects, consoleDir, ready: () => reader.probe() })
  const sockets = openSockets(app.server, { ...shared, rate: http.socketRate })
  const url = await app.listen({ host: http.host, port: http.port })
  log.info({ url }, 'the gateway listens')
  return {
    url,
    close: async () => {
      await sockets.close()
      shared.presence.close()
      await close(DRAIN_MS)
      reader.close()
    },
  }
}

if (import.meta.main) {
  const swarm = await joinSwarm(readConfig(process.env), 'gateway')
  await swarm.system.start()
  const gateway = await startGateway(swarm)
  leaveOnSignal(swarm.log, async () => {
    await gateway.close()
    await swarm.system.stop()
    await swarm.transport.close()
  })
}
