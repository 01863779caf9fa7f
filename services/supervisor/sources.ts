import { z } from 'zod'
import { BudgetLimits } from '#shared/contracts/budget.ts'
import { WhileRunning } from '#shared/contracts/while-running.ts'
import type { TenantConfig } from '#shared/db/tenant-config.ts'
import type { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { ModelSpec } from '#shared/models/port.ts'
import type { RouteParts } from './route.actor.ts'

/** Candidates and routing model from a tenant's rows. */
export function routeSources(
  configs: FreshCache<TenantConfig>,
  platformModel: Omit<ModelSpec, 'tenant'>,
): Pick<RouteParts, 'candidates' | 'limits' | 'routingModel'> {
  return {
    candidates: async (tenant) =>
      (await configs.get(tenant)).agents.map(({ id: name, title, description, examples, limits }) => ({
        name,
        title,
        description,
        examples,
        // A word that is no policy counts as none.
        whileRunning: WhileRunning.safeParse(limits['whileRunning']).data ?? null,
      })),
    limits: async (tenant) => {
      const { agents, settings } = await configs.get(tenant)
      const budget = z.record(z.string(), z.unknown()).catch({}).parse(settings['budget'])
      return {
        agents: Object.fromEntries(
          agents.flatMap(({ id, limits }) =>
            Object.keys(limits).length === 0 ? [] : [[id, BudgetLimits.parse(limits)]],
          ),
        ),
        conversation: BudgetLimits.parse(budget['conversation'] ?? {}),
        day: BudgetLimits.parse(budget['day'] ?? {}),
      }
    },
    routingModel: async (tenant) => {
      const { settings } = await configs.get(tenant)
      return { ...platformModel, ...(settings['routingModel'] as Partial<ModelSpec> | undefined), tenant } as ModelSpec
    },
  }
}
