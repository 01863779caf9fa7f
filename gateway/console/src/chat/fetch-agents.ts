import { apiOf } from '../rest.ts'

export interface AgentCard {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly tools: readonly string[]
}

interface AgentSummary {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly enabled: boolean
  readonly tools: readonly { readonly name: string }[]
}

/** Who answers in this tenant; none where that may not be asked. The page works without. */
export async function fetchAgents(token: string, signal: AbortSignal): Promise<readonly AgentCard[]> {
  try {
    const { agents } = await apiOf(token)<{ agents: readonly AgentSummary[] }>('agents', { signal })
    return agents
      .filter((agent) => agent.enabled)
      .map(({ name, title, description, tools }) => ({
        name,
        title,
        description,
        tools: tools.map((tool) => tool.name),
      }))
  } catch {
    return []
  }
}
