import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { guardrailPool } from './guardrails.actor.ts'

/** The guardrails role: every check of every tenant, any replica. */
export function hostGuardrails({ system, configs }: Pick<Service, 'system' | 'configs'>): void {
  system.host(guardrailPool({ load: async (tenant) => (await configs.get(tenant)).guardrails }))
}

if (import.meta.main) await runService('guardrails', hostGuardrails)
