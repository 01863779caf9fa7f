import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Everything an agent is. */
export const AgentEntity = defineEntity({
  name: 'Agent',
  tableName: 'agents',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    title: p.text(),
    description: p.text(),
    examples: p.json<string[]>().defaultRaw("'[]'"),
    systemPrompt: p.text(),
    model: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    outputMode: p.enum(['gated', 'streamed']).default('gated'),
    outputSchema: p.json<Record<string, unknown>>().nullable(),
    maxSteps: p.integer().default(8),
    limits: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    knowledge: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    position: p.integer().default(0),
    enabled: p.boolean().default(true),
    version: p.integer().default(1),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
})
export type AgentEntity = InferEntity<typeof AgentEntity>
