import { z } from 'zod'
import { AgentKnowledge } from '#shared/contracts/agent.ts'
import { BudgetLimits } from '#shared/contracts/budget.ts'
import type { Tool } from '#shared/db/repositories/tools.ts'
import type { TenantConfig } from '#shared/db/tenant-config.ts'
import type { GuardrailSource } from '#shared/graph/output-guards/guardrail-row.ts'
import type { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { ModelPrice, ModelSpec, PriceTable } from '#shared/models/port.ts'
import type { AgentProfile, ProfileSource, ProfileTool } from './profile.ts'
import type { Colleague } from './transfer.ts'

/** The tools offered to a model at once, by priority. */
const TOOLS_OFFERED = 5

/** Profiles from a tenant's rows; `platformModel` is what an agent without a model of its own speaks to. */
export function profileSource(
  configs: FreshCache<TenantConfig>,
  platformModel: Omit<ModelSpec, 'tenant'>,
): ProfileSource {
  return {
    async load(tenant, name): Promise<AgentProfile | null> {
      const config = await configs.get(tenant)
      const agent = config.agents.find((candidate) => candidate.id === name)
      if (agent === undefined) return null
      const limits = BudgetLimits.parse(agent.limits)
      const tools = agent.tools.flatMap((id) => config.tools.filter((tool) => tool.id === id)).slice(0, TOOLS_OFFERED)
      return {
        name: agent.id,
        title: agent.title,
        systemPrompt: agent.systemPrompt,
        model: { ...platformModel, ...(agent.model as Partial<ModelSpec>), tenant } as ModelSpec,
        outputMode: agent.outputMode,
        outputSchema: agent.outputSchema,
        maxSteps: Math.min(agent.maxSteps, limits.steps ?? Infinity),
        limits,
        prices: pricesOf(config.settings),
        colleagues: (limits.handoffs ?? []).flatMap((id) => colleagueOf(config, name, id)),
        version: agent.version,
        tools: tools.map(toolOf),
        knowledge: AgentKnowledge.safeParse(agent.knowledge).data ?? null,
        approvals: config.settings['approvals'],
      }
    },
  }
}

/** Whoever is disabled, or is the agent itself, is no colleague. */
function colleagueOf(config: TenantConfig, self: string, id: string): readonly Colleague[] {
  if (id === self) return []
  return config.agents
    .filter((agent) => agent.id === id)
    .map(({ title, description, examples }) => ({ name: id, title, description, examples }))
}

/** What the tenant pays for models, `settings.prices`; one that cannot be read is no price. */
function pricesOf(settings: TenantConfig['settings']): PriceTable {
  const table = z.record(z.string(), z.unknown()).safeParse(settings['prices'])
  if (!table.success) return {}
  return Object.fromEntries(
    Object.entries(table.data).flatMap(([model, given]) => {
      const price = Price.safeParse(given)
      return price.success ? [[model, price.data as ModelPrice]] : []
    }),
  )
}

const rate = z.number().nonnegative()
const Price = z.object({ inputPerMillion: rate, cachedPerMillion: rate.optional(), outputPerMillion: rate })

export function guardrailSource(configs: FreshCache<TenantConfig>): GuardrailSource {
  return { load: async (tenant) => (await configs.get(tenant)).guardrails }
}

function toolOf(tool: Tool): ProfileTool {
  return {
    name: tool.id,
    title: tool.title,
    description: tool.description,
    schema: { ...tool.parameters },
    examples: tool.examples,
    template: tool.outputTemplate === '' ? null : tool.outputTemplate,
    repeatable: tool.idempotent || tool.keyHeader !== null,
    builtin: tool.kind === 'builtin',
    needsApproval: tool.needsApproval,
    approval: tool.approval,
  }
}
