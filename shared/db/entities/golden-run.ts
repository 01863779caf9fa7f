import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** How well the golden questions were found at some time. */
export const GoldenRunEntity = defineEntity({
  name: 'GoldenRun',
  tableName: 'golden_runs',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    id: p.text().primary(),
    generation: p.integer(),
    questions: p.integer(),
    recall: p.double(),
    mrr: p.double(),
    ndcg: p.double(),
    at: p.bigint('number'),
  },
})
export type GoldenRunEntity = InferEntity<typeof GoldenRunEntity>
