import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Documents that are searched together. */
export const CollectionEntity = defineEntity({
  name: 'Collection',
  tableName: 'collections',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    title: p.text(),
    description: p.text().default(''),
    settings: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    generation: p.integer().default(0),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})
export type CollectionEntity = InferEntity<typeof CollectionEntity>
