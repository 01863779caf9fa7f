import { WhileRunning } from '#shared/contracts/while-running.ts'
import type { TenantConfig } from '#shared/db/tenant-config.ts'
import type { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { ModelSpec } from '#shared/models/port.ts'
import type { RouteParts } from './route.actor.ts'

/** Candidates and routing model from a tenant's rows. */
export function routeSources(
  configs: FreshCache<TenantConfig>,
  platformModel: Omit<ModelSpec, 'tenant'>,
): Pick<RouteParts, 'candidates' | 'routingModel'> {
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
    routingModel: async (tenant) => {
      const { settings } = await configs.get(tenant)
      return { ...platformModel, ...(settings['routingModel'] as Partial<ModelSpec> | undefined), tenant } as ModelSpec
    },
  }
}
