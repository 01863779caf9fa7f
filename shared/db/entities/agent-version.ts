import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** An agent as it was saved. */
export const AgentVersionEntity = defineEntity({
  name: 'AgentVersion',
  tableName: 'agent_versions',
  properties: {
    tenant: p.text().primary(),
    agentId: p.text().primary(),
    version: p.integer().primary(),
    body: p.json<Record<string, unknown>>(),
    author: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type AgentVersionEntity = InferEntity<typeof AgentVersionEntity>
