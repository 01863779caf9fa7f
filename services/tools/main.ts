import { openCredential } from '#shared/lib/credential.ts'
import { DEFAULT_PORTS } from '#shared/lib/outbound/address-rules.ts'
import { guardedAgent } from '#shared/lib/outbound/guarded-agent.ts'
import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { toolPool } from './tools.actor.ts'

export interface ToolsSettings {
  /** `host:port` of services that tools may reach though they are not public: the operator's own. */
  readonly allow?: readonly string[]
}

/** The tools role: every tool call of every tenant, any replica. `close` gives idle connections back. */
export function hostTools(
  { system, configs, seal, database, secrets }: Pick<Service, 'system' | 'configs' | 'seal' | 'database' | 'secrets'>,
  settings: ToolsSettings = {},
): { close: () => Promise<void> } {
  const rules = { allow: settings.allow ?? [], ports: DEFAULT_PORTS }
  const agent = guardedAgent(rules)
  system.host(
    toolPool({
      agent,
      rules,
      tools: {
        byName: async (tenant, name) => (await configs.get(tenant)).tools.find(({ id }) => id === name) ?? null,
      },
      openCredential: (principal) => openCredential(seal, principal),
      secrets: { open: (tenant, id) => database.tenant(tenant, (sql) => secrets.get(sql, id)) },
    }),
  )
  return { close: () => agent.close() }
}

if (import.meta.main)
  await runService('tools', (service) => void hostTools(service, { allow: service.config.tools.allow }))
