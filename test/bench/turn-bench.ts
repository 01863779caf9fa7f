/** A whole swarm for turns: broker, database, the roles in processes of their own, and the people in another. */
import { openDatabase } from '#shared/db/database.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveTool } from '#shared/db/repositories/tools.ts'
import { startNats } from '#test/kit/nats-server.ts'

import { cpuMs, cpuMsOfTree } from './cpu.ts'
import type { BenchDatabase } from './databases.ts'
import { startPeer } from './peer.ts'
import type { Peer } from './peer.ts'
import type { BenchRole, ServicesPeer } from './peers/services.ts'
import type { TurnsDone, TurnsOrder, TurnsPeer } from './peers/turns.ts'
import { AGENTS, TOOL } from './turn-script.ts'

/** What runs in which process. */
export type Layout = Readonly<Record<string, readonly BenchRole[]>>

export interface TurnBench {
  readonly natsUrl: string
  readonly run: (order: TurnsOrder) => Promise<TurnsDone>
  /** CPU time used so far, by process; of PostgreSQL its processes together. */
  readonly cpu: () => Promise<Readonly<Record<string, number>>>
  readonly stop: () => Promise<void>
}

export async function turnBench(
  database: BenchDatabase,
  layout: Layout,
  tenants: readonly string[],
  options: { readonly paceMs?: number } = {},
): Promise<TurnBench> {
  const nats = await startNats()
  const people = await startPeer<TurnsPeer>('turns', { natsUrl: nats.url })
  const allow = await people.ask('orderService', null)
  await seed(database.url, tenants, allow)
  const services = new Map<string, Peer<ServicesPeer>>()
  for (const [name, roles] of Object.entries(layout))
    services.set(
      name,
      await startPeer<ServicesPeer>('services', {
        natsUrl: nats.url,
        databaseUrl: database.url,
        name,
        roles,
        allow,
        ...options,
      }),
    )
  return {
    natsUrl: nats.url,
    run: (order) => people.ask('run', order),
    cpu: async () => {
      const used: Record<string, number> = {}
      for (const [name, peer] of services) used[name] = (await cpuMs(peer.pid)) ?? 0
      used['nats'] = (await cpuMs(nats.pid)) ?? 0
      used['people'] = (await cpuMs(people.pid)) ?? 0
      if (database.pid !== null) used['postgres'] = (await cpuMsOfTree(database.pid)) ?? 0
      return used
    },
    stop: async () => {
      await Promise.all([...services.values()].map((peer) => peer.stop()))
      await people.stop()
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
