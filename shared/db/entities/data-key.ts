import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A key that secrets of the tenant are sealed with, itself sealed with the master key. */
export const DataKeyEntity = defineEntity({
  name: 'DataKey',
  tableName: 'data_keys',
  properties: {
    tenant: p.text().primary(),
    id: p.integer().primary(),
    wrapped: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type DataKeyEntity = InferEntity<typeof DataKeyEntity>
