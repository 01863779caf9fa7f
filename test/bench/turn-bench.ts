/** A whole swarm for turns: broker, database, the roles in processes of their own, and the people in another. */
import { openDatabase } from '#shared/db/database.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveTool } from '#shared/db/repositories/tools.ts'
import { startNats } from '#test/kit/nats-server.ts'

import { cpuMs, cpuMsOfTree } from './cpu.ts'
import type { BenchDatabase } from './databases.ts'
import type { Held } from './held.ts'
import { Issuer } from './issuer.ts'
import { startPeer } from './peer.ts'
import type { Peer } from './peer.ts'
import type { TurnsDone, TurnsOrder } from './people.ts'
import type { CustomersPeer } from './peers/customers.ts'
import type { GatewayPeer } from './peers/gateway.ts'
import type { BenchRole, BenchScript, ServicesPeer } from './peers/services.ts'
import type { StopsDone, StopsOrder, StopsPeer } from './peers/stops.ts'
import type { TurnsPeer } from './peers/turns.ts'
import { AGENTS, ENDLESS_STEPS, TOOL } from './turn-script.ts'

/** What runs in which process; behind a gateway there must be a directory. */
export type Layout = Readonly<Record<string, readonly BenchRole[]>>

export interface TurnBenchOptions {
  readonly database: BenchDatabase
  readonly layout: Layout
  readonly tenants: readonly string[]
  /** People come through a gateway, in a process of its own, instead of through the runtime. */
  readonly edge?: boolean
  /** What the model says; default: `turn`. */
  readonly script?: BenchScript
  /** People who stop what they began, for `stops`. */
  readonly stopping?: boolean
  /** When idle actors are put to sleep; default: as their definitions say. */
  readonly sleepAfterMs?: number
  /** For the processes of the product. */
  readonly execArgv?: readonly string[]
  /** More lines for the configuration of nats-server. */
  readonly natsConfig?: string
}

export interface TurnBench {
  readonly natsUrl: string
  /** Of the gateway, when there is one. */
  readonly gatewayUrl: string | null
  readonly run: (order: TurnsOrder) => Promise<TurnsDone>
  /** Of people who stop what they began. */
  readonly stops: (order: StopsOrder) => Promise<StopsDone>
  readonly token: (tenant: string) => Promise<string>
  /** CPU time used so far, by process; of PostgreSQL its processes together. */
  readonly cpu: () => Promise<Readonly<Record<string, number>>>
  /** What the processes of the product hold now, by process. */
  readonly held: () => Promise<Readonly<Record<string, Held>>>
  readonly stop: () => Promise<void>
}

export async function turnBench(options: TurnBenchOptions): Promise<TurnBench> {
  const {
    database,
    layout,
    tenants,
    edge = false,
    stopping = false,
    script = 'turn',
    sleepAfterMs,
    execArgv = [],
  } = options
  const nats = await startNats(options.natsConfig === undefined ? {} : { config: options.natsConfig })
  const natsUrl = nats.url
  const issuer = new Issuer()
  const people = edge
    ? await startPeer<CustomersPeer>('customers', {})
    : await startPeer<TurnsPeer & StopsPeer>(stopping ? 'stops' : 'turns', { natsUrl })
  const allow = await people.ask('orderService', null)
  await seed(database.url, tenants, allow)
  const services = new Map<string, Peer<Pick<ServicesPeer, 'held'>>>()
  for (const [name, roles] of Object.entries(layout)) {
    const sleep = sleepAfterMs === undefined ? {} : { sleepAfterMs }
    const config = { natsUrl, databaseUrl: database.url, name, roles, allow, script, ...sleep }
    services.set(name, await startPeer<ServicesPeer>('services', config, { execArgv }))
  }
  let gatewayUrl: string | null = null
  if (edge) {
    const gateway = await startPeer<GatewayPeer>('gateway', { natsUrl, publicKey: issuer.publicKey }, { execArgv })
    gatewayUrl = await gateway.ask('url', null)
    services.set('gateway', gateway)
  }
  const tokens = Object.fromEntries(
    await Promise.all(tenants.map(async (tenant) => [tenant, await issuer.token(tenant)] as const)),
  )
  return {
    natsUrl,
    gatewayUrl,
    run: (order) => (people as Peer<CustomersPeer>).ask('run', { ...order, gatewayUrl: gatewayUrl ?? '', tokens }),
    stops: (order) => (people as unknown as Peer<StopsPeer>).ask('stops', order),
    token: (tenant) => issuer.token(tenant),
    cpu: async () => {
      const used: Record<string, number> = {}
      for (const [name, peer] of services) used[name] = (await cpuMs(peer.pid)) ?? 0
      used['nats'] = (await cpuMs(nats.pid)) ?? 0
      used['people'] = (await cpuMs(people.pid)) ?? 0
      if (database.pid !== null) used['postgres'] = (await cpuMsOfTree(database.pid)) ?? 0
      return used
    },
    held: async () => {
      const found: Record<string, Held> = {}
      for (const [name, peer] of services) found[name] = await peer.ask('held', null)
      return found
    },
    stop: async () => {
      await people.stop()
      await Promise.all([...services.values()].map((peer) => peer.stop()))
      await nats.stop()
    },
  }
}

async function seed(url: string, tenants: readonly string[], orderService: string): Promise<void> {
  const database = await openDatabase({ url, poolSize: 2 })
  for (const tenant of tenants) {
    await database.tenant(tenant, async (sql) => {
      await saveTenant(sql, { name: tenant })
      await saveTool(sql, {
        id: TOOL,
        title: 'Look up an order',
        description: 'Looks up an order.',
        kind: 'http_get',
        url: `http://${orderService}/orders/{order}`,
        idempotent: true,
        trusted: true,
        parameters: { type: 'object', properties: { order: { type: 'string' } }, required: ['order'] },
      })
      for (const [position, id] of AGENTS.entries())
        await saveAgent(
          sql,
          {
            id,
            title: id,
            description: `Handles ${id}.`,
            systemPrompt: 'Help.',
            model: { provider: 'scripted', model: 'bench' },
            position,
            outputMode: 'streamed',
            tools: [TOOL],
            maxSteps: ENDLESS_STEPS,
          },
          { author: 'bench' },
        )
    })
  }
  await database.close()
}

/** Of one turn, by process. */
export function cpuPerTurn(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  turns: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / turns]))
}
