import type { Tool } from '#shared/db/repositories/tools.ts'
import type { TenantConfig } from '#shared/db/tenant-config.ts'
import type { GuardrailSource } from '#shared/graph/output-guards/guardrail-row.ts'
import type { FreshCache } from '#shared/lib/fresh-cache.ts'
import type { ModelSpec } from '#shared/models/port.ts'
import type { AgentProfile, ProfileSource, ProfileTool } from './profile.ts'

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
      const tools = agent.tools.flatMap((id) => config.tools.filter((tool) => tool.id === id)).slice(0, TOOLS_OFFERED)
      return {
        name: agent.id,
        title: agent.title,
        systemPrompt: agent.systemPrompt,
        model: { ...platformModel, ...(agent.model as Partial<ModelSpec>), tenant } as ModelSpec,
        outputMode: agent.outputMode,
        outputSchema: agent.outputSchema,
        maxSteps: agent.maxSteps,
        version: agent.version,
        tools: tools.map(toolOf),
        approvals: config.settings['approvals'],
      }
    },
  }
}

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
