import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Vectors of a collection by one embedder. */
export const GenerationEntity = defineEntity({
  name: 'Generation',
  tableName: 'generations',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    generation: p.integer().primary(),
    embedder: p.text(),
    dimensions: p.integer(),
    settings: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    model: p.blob().nullable(),
    state: p.enum(['building', 'active', 'retired', 'failed']),
    chunks: p.integer().default(0),
    note: p.text().default(''),
    createdAt: p.bigint('number'),
    changedAt: p.bigint('number'),
  },
})
export type GenerationEntity = InferEntity<typeof GenerationEntity>
