import { asCredentials } from '../session.ts'

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
  const credentials = asCredentials(token)
  const headers =
    'token' in credentials ? { authorization: `Bearer ${credentials.token}` } : { 'x-api-key': credentials.apiKey }
  try {
    const response = await fetch('./api/v1/agents', { headers, signal })
    if (!response.ok) return []
    const { agents } = (await response.json()) as { agents: readonly AgentSummary[] }
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
