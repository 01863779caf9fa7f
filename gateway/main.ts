import { join } from 'node:path'
import { PLATFORM } from '#shared/actor/core.ts'
import { need, readConfig } from '#shared/config/config.ts'
import { Log } from '#shared/contracts/log.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { Seal } from '#shared/lib/seal.ts'
import { joinSwarm, leaveOnSignal } from '#shared/process/join-swarm.ts'
import type { Swarm } from '#shared/process/join-swarm.ts'
import { openAuthenticator } from './auth/authenticator.ts'
import { RateLimiter } from './http/rate-limiter.ts'
import { httpServer } from './http/http-server.ts'
import { LogReader } from './log/log-reader.ts'
import { openSockets } from './sockets/socket-server.ts'

export interface Gateway {
  readonly url: string
  readonly close: () => Promise<void>
}

/** The edge: no database, no model. The system must have been started. */
export async function startGateway(swarm: Swarm): Promise<Gateway> {
  const { config, system, transport, metrics, log } = swarm
  const { auth, http } = config
  const seal = new Seal(need(config.secret, 'WAGGLE_SECRET', 'gateway'))
  const authenticator = await openAuthenticator(system, { ...auth, seal })
  const reader = new LogReader({
    transport,
    keeper: (tenant) => system.reach({ ...PLATFORM, tenant }).pool(Log, 'keeper'),
    metrics,
    log,
  })
  await reader.start()
  const limiter = new RateLimiter(http.rate, systemClock)
  const consoleDir = join(import.meta.dirname, 'console', 'dist')
  const app = await httpServer({
    system,
    reader,
    authenticator,
    limiter,
    metrics,
    log,
    corsOrigins: http.corsOrigins,
    trustProxy: http.trustProxy,
    consoleDir,
    ready: () => reader.probe(),
  })
  const sockets = openSockets(app.server, {
    reader,
    reach: (principal) => system.reach(principal),
    authenticator,
    rate: http.socketRate,
    clock: systemClock,
    log,
    corsOrigins: http.corsOrigins,
  })
  const url = await app.listen({ host: http.host, port: http.port })
  log.info({ url }, 'the gateway listens')
  return {
    url,
    close: async () => {
      await sockets.close()
      reader.close()
      await app.close()
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
