import type { Handover } from '#shared/contracts/agent.ts'
import type { GraphTool, ToolRequest } from '#shared/graph/agent-graph.ts'
import type { AgentProfile } from './profile.ts'

/** Hand-offs are tools like any other: one for each agent that this one may hand a turn to. */
const PREFIX = 'transfer_to_'
const REASON_CHARS = 500

export interface Colleague {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly examples: readonly string[]
}

export function transferTools(colleagues: readonly Colleague[]): readonly GraphTool[] {
  return colleagues.map(({ name, title, description, examples }) => ({
    name: toolName(name),
    description: `Hands this conversation over to ${title}, who goes on from here. ${description}`,
    schema: {
      type: 'object',
      properties: { reason: { type: 'string', description: 'What the customer needs, for whoever goes on.' } },
    },
    examples,
    template: null,
  }))
}

/** Whom a call hands the turn to; null when it is another call. */
export function transferIn(profile: Pick<AgentProfile, 'colleagues'>, request: ToolRequest): Handover | null {
  const colleague = profile.colleagues.find(({ name }) => toolName(name) === request.name)
  if (colleague === undefined) return null
  const { reason } = request.args
  return { to: colleague.name, reason: typeof reason === 'string' ? reason.slice(0, REASON_CHARS) : '' }
}

/** Models take letters, digits, dashes and underscores in a name. */
function toolName(agent: string): string {
  return `${PREFIX}${agent}`
}
