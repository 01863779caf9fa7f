import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** What a tenant has spent and reserved on one day. */
export const SpendingEntity = defineEntity({
  name: 'Spending',
  tableName: 'spending',
  properties: {
    tenant: p.text().primary(),
    /** YYYY-MM-DD, UTC. */
    day: p.text().primary(),
    tokens: p.bigint('number'),
    costMicros: p.bigint('number'),
  },
})
export type SpendingEntity = InferEntity<typeof SpendingEntity>
