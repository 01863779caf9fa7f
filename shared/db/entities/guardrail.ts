import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A check that stands in front of a side effect or a release of text. */
export const GuardrailEntity = defineEntity({
  name: 'Guardrail',
  tableName: 'guardrails',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    agentId: p.text().nullable(),
    stage: p.enum(['input', 'tool_call', 'tool_result', 'output']),
    rule: p.text(),
    config: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    action: p.enum(['block', 'rewrite', 'flag']),
    message: p.text().default(''),
    position: p.integer().default(0),
    enabled: p.boolean().default(true),
    version: p.integer().default(1),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
})
export type GuardrailEntity = InferEntity<typeof GuardrailEntity>
