import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readConfig } from '#shared/config/config.ts'
import type { Config } from '#shared/config/config.ts'
import { openDatabase } from '#shared/db/database.ts'
import { startPglite } from '#shared/db/embedded/pglite.ts'
import { openService } from '#shared/service/service.ts'
import { hostAgents } from '#services/agents/main.ts'
import { hostDesk } from '#services/desk/main.ts'
import { hostDirectory } from '#services/directory/main.ts'
import { hostGuardrails } from '#services/guardrails/main.ts'
import { hostKnowledge } from '#services/knowledge/main.ts'
import { hostSupervisor } from '#services/supervisor/main.ts'
import { hostTools } from '#services/tools/main.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import { buildConsole } from '#gateway/console/build.ts'
import { startGateway } from '#gateway/main.ts'
import { issuerTokens, startOrderService } from '#deploy/demo/order-service.ts'
import { giveHandbook } from '#deploy/demo/give-handbook.ts'
import { DEMO_TENANT, seedDemo } from '#deploy/demo/seed.ts'
import { seedWriter } from '#deploy/demo/seed-writer.ts'
import { startNatsChild } from './nats-child.ts'
import type { StackOptions } from './options.ts'
import type { Progress } from './progress.ts'
import { ROLE_ENTRIES, startRole } from './roles.ts'
import type { Role, RoleProcess } from './roles.ts'
import { openStateFolder } from './state-folder.ts'
import type { StateFolder } from './state-folder.ts'

export interface Stack {
  readonly url: string
  /** A token of the demo's operator, who is also a customer. */
  readonly token: string
  /** Settles with the reason when a part that cannot be done without has ended. */
  readonly broken: Promise<string>
  /** In good order, the last part first. */
  readonly stop: () => Promise<void>
}

const DEMO_TOKEN_S = 30 * 86_400
const ROOT = join(import.meta.dirname, '..', '..')
/** How long the gateway of `--processes` may take to answer. */
const GATEWAY_MS = 60_000

/** Everything on this machine: the servers that are not given by the environment, the demo tenant, and every role. */
export async function startStack(options: StackOptions, env: NodeJS.ProcessEnv, progress: Progress): Promise<Stack> {
  const undo: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  const broken = Promise.withResolvers<string>()
  try {
    const state = await openStateFolder(env['WAGGLE_STATE'] ?? join(ROOT, '.waggle'), options)
    undo.push(async () => state.processes.give())
    const [natsUrl, databaseUrl] = await Promise.all([
      brokerUrl(env, state, progress, undo, broken.resolve),
      databaseUrlOf(env, state, progress, undo),
    ])
    const verify = await issuerTokens({
      publicKey: state.keys.publicKey,
      issuer: env['JWT_ISSUER'] ?? 'waggle',
      audience: env['JWT_AUDIENCE'] ?? 'waggle',
    })
    const orders = await progress.part(
      'order service',
      () => startOrderService({ port: 0, verify }),
      (service) => service.url,
    )
    undo.push(orders.stop)
    const config = readConfig({
      ...env,
      NATS_URL: natsUrl,
      DATABASE_URL: databaseUrl,
      JWT_PUBLIC_KEY: env['JWT_PUBLIC_KEY'] ?? state.keys.publicKey,
      WAGGLE_SECRET: env['WAGGLE_SECRET'] ?? state.keys.secret,
      TOOLS_ALLOW: [env['TOOLS_ALLOW'] ?? '', orders.host].filter((host) => host !== '').join(','),
      LOG_LEVEL: env['LOG_LEVEL'] ?? 'warn',
      ...(options.port === null ? {} : { PORT: String(options.port) }),
    })
    await progress.part(
      'demo tenant',
      () => prepareDatabase(config, orders.url),
      (applied) => (applied === 0 ? 'up to date' : `${applied} migrations`),
    )
    await progress.part('console', buildConsole, ({ built }) => (built ? 'built' : 'as built before'))
    const url = options.processes
      ? await startProcesses(config, state, env, natsUrl, databaseUrl, progress, undo)
      : await startInProcess(config, progress, undo)
    const token = await signToken(
      state.keys.privateKey,
      { tenant: DEMO_TENANT, user: 'ada', roles: ['customer', 'operator'] },
      { ...config.auth, lifetimeS: DEMO_TOKEN_S },
    )
    await progress.part(
      'handbook',
      () => giveHandbook(url, token),
      (documents) => `${documents} documents`,
    )
    await writeFile(state.endpoint, JSON.stringify({ url, token, pid: process.pid }), { mode: 0o600 })
    return { url, token, broken: broken.promise, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function brokerUrl(
  env: NodeJS.ProcessEnv,
  state: StateFolder,
  progress: Progress,
  undo: (() => Promise<void>)[],
  onDeath: (reason: string) => void,
): Promise<string> {
  if (env['NATS_URL']) return env['NATS_URL']
  const child = await progress.part(
    'nats-server',
    () => startNatsChild(state.nats, state.processes),
    (nats) => `${nats.version}, process ${nats.pid}`,
  )
  undo.push(child.stop)
  void child.died.then(() => onDeath('nats-server ended'))
  return child.url
}

async function databaseUrlOf(
  env: NodeJS.ProcessEnv,
  state: StateFolder,
  progress: Progress,
  undo: (() => Promise<void>)[],
): Promise<string> {
  if (env['DATABASE_URL']) return env['DATABASE_URL']
  const database = await progress.part(
    'PostgreSQL',
    () => startPglite({ dataDir: state.database }),
    () => 'embedded (PGlite)',
  )
  undo.push(() => database.stop())
  return database.url
}

async function prepareDatabase(config: Config, ordersUrl: string): Promise<number> {
  const database = await openDatabase({ url: config.database.url!, name: 'waggle start' })
  try {
    const applied = await database.migrate()
    await database.tenant(DEMO_TENANT, (sql) => seedDemo(seedWriter(sql), ordersUrl))
    return applied.length
  } finally {
    await database.close()
  }
}

async function startInProcess(config: Config, progress: Progress, undo: (() => Promise<void>)[]): Promise<string> {
  const service = await openService(config, 'all')
  undo.push(service.close)
  await progress.part(
    'roles',
    async () => {
      hostSupervisor(service)
      hostAgents(service)
      const tools = hostTools(service, { allow: config.tools.allow })
      hostGuardrails(service)
      hostDesk(service)
      hostDirectory(service)
      const knowledge = await hostKnowledge(service, { allow: config.tools.allow })
      undo.push(knowledge.close)
      undo.push(tools.close)
      undo.push(() => service.system.stop())
      await service.system.start()
    },
    () =>
      `supervisor, agents, tools, guardrails, desk, directory, knowledge (${service.system.census().partitions} partitions)`,
  )
  const gateway = await progress.part(
    'gateway',
    () => startGateway(service),
    ({ url }) => url,
  )
  undo.push(gateway.close)
  return gateway.url
}

async function startProcesses(
  config: Config,
  state: StateFolder,
  env: NodeJS.ProcessEnv,
  natsUrl: string,
  databaseUrl: string,
  progress: Progress,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const given: NodeJS.ProcessEnv = {
    ...env,
    NATS_URL: natsUrl,
    DATABASE_URL: databaseUrl,
    JWT_PUBLIC_KEY: config.auth.publicKey ?? '',
    WAGGLE_SECRET: config.secret ?? '',
    TOOLS_ALLOW: config.tools.allow.join(','),
    LOG_LEVEL: env['LOG_LEVEL'] ?? 'info',
    PORT: String(config.http.port),
    // One session behind all connections: eight processes share what one would have.
    DATABASE_POOL: env['DATABASE_POOL'] ?? '4',
  }
  const processes: RoleProcess[] = []
  undo.push(async () => {
    await Promise.all(processes.map((role) => role.stop()))
  })
  for (const role of Object.keys(ROLE_ENTRIES) as Role[]) {
    const child = startRole(role, ROOT, given, state, (line) => progress.line(line))
    processes.push(child)
    progress.line(`  ${role.padEnd(16)} process ${child.pid()}, log ${join(state.logs, `${role}.log`)}`)
  }
  const url = `http://${config.http.host}:${config.http.port}`
  await progress.part(
    'gateway',
    () => answers(`${url}/readyz`),
    () => url,
  )
  return url
}

async function answers(url: string): Promise<void> {
  const until = Date.now() + GATEWAY_MS
  for (;;) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    if (Date.now() > until) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
