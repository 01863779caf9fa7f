import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Which tools an agent is offered, and in which order. */
export const AgentToolEntity = defineEntity({
  name: 'AgentTool',
  tableName: 'agent_tools',
  properties: {
    tenant: p.text().primary(),
    agentId: p.text().primary(),
    toolId: p.text().primary(),
    priority: p.integer().default(0),
  },
})
export type AgentToolEntity = InferEntity<typeof AgentToolEntity>
