import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** In which chunks of a segment a term stands. */
export const PostingEntity = defineEntity({
  name: 'Posting',
  tableName: 'postings',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    term: p.text().primary(),
    segment: p.bigint('number').primary(),
    ordinals: p.array().columnType('int[]'),
    tfs: p.array().columnType('real[]'),
    lengths: p.array().columnType('real[]'),
  },
})
export type PostingEntity = InferEntity<typeof PostingEntity>
