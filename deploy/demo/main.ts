import { parseArgs } from 'node:util'
import { need, readConfig } from '#shared/config/config.ts'
import { openDatabase } from '#shared/db/database.ts'
import { leaveOnSignal } from '#shared/process/join-swarm.ts'
import { createLogger } from '#shared/telemetry/logger.ts'
import { DEFAULT_ORDER_SERVICE_PORT, issuerTokens, startOrderService } from './order-service.ts'
import { seedWriter } from './seed-writer.ts'
import { DEMO_TENANT, seedDemo } from './seed.ts'

/**
 * The demo as a process of its own, for deployments with a process per role: writes the demo tenant's rows and serves its
 * orders. `--listen` is where, `--url` how the tools role reaches it (and what its allow list must name).
 */
if (import.meta.main) {
  const { values } = parseArgs({
    options: { listen: { type: 'string' }, port: { type: 'string' }, url: { type: 'string' } },
  })
  const config = readConfig(process.env)
  const log = createLogger({ level: config.logLevel, role: 'demo' })
  const { auth } = config
  const service = await startOrderService({
    port: Number(values.port ?? DEFAULT_ORDER_SERVICE_PORT),
    ...(values.listen === undefined ? {} : { listenOn: values.listen }),
    verify: await issuerTokens({ ...auth, publicKey: need(auth.publicKey, 'JWT_PUBLIC_KEY', 'demo') }),
  })
  const database = await openDatabase({ url: need(config.database.url, 'DATABASE_URL', 'demo'), name: 'waggle demo' })
  await database.migrate()
  const url = values.url ?? service.url
  const rows = await database.tenant(DEMO_TENANT, (sql) => seedDemo(seedWriter(sql), url))
  await database.close()
  log.info({ url, rows }, 'the demo shop is open')
  leaveOnSignal(log, () => service.stop())
}
