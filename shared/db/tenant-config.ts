import type { Clock } from '#shared/lib/clock.ts'
import { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { Database } from './database.ts'
import { loadAgents } from './repositories/agents.ts'
import type { Agent } from './repositories/agents.ts'
import { loadGuardrails } from './repositories/guardrails.ts'
import type { Guardrail } from './repositories/guardrails.ts'
import { loadTools } from './repositories/tools.ts'
import type { Tool } from './repositories/tools.ts'
import { activeTenant } from './repositories/tenants.ts'

/** Everything that makes a tenant's agents what they are, read in one transaction. */
export interface TenantConfig {
  readonly settings: Readonly<Record<string, unknown>>
  readonly version: number
  readonly agents: readonly Agent[]
  readonly tools: readonly Tool[]
  readonly guardrails: readonly Guardrail[]
}

/** A change in the rows is seen everywhere within this time. */
export const CONFIG_FRESH_MS = 2_000
const TENANTS_KEPT = 2_000

/** Shared by the roles of one process: one read of a tenant every CONFIG_FRESH_MS, however many turns there are. */
export function tenantConfigs(database: Database, clock?: Clock): FreshCache<TenantConfig> {
  return new FreshCache<TenantConfig>({
    ttlMs: CONFIG_FRESH_MS,
    capacity: TENANTS_KEPT,
    ...(clock === undefined ? {} : { clock }),
    load: (tenant) =>
      database.tenant(tenant, async (sql) => {
        const { settings, configVersion: version } = await activeTenant(sql)
        const agents = await loadAgents(sql)
        const tools = await loadTools(sql)
        const guardrails = await loadGuardrails(sql)
        return { settings, version, agents, tools, guardrails }
      }),
  })
}
