import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Content by its hash. */
export const BlobEntity = defineEntity({
  name: 'Blob',
  tableName: 'blobs',
  properties: {
    tenant: p.text().primary(),
    hash: p.text().primary(),
    parts: p.json<unknown[]>(),
    bytes: p.bigint('number'),
    createdAt: p.bigint('number'),
  },
})
export type BlobEntity = InferEntity<typeof BlobEntity>
