import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** An object that is to go from the object store. */
export const BlobRemovalEntity = defineEntity({
  name: 'BlobRemoval',
  tableName: 'blob_removals',
  properties: {
    tenant: p.text().primary(),
    object: p.text().primary(),
    at: p.bigint('number'),
  },
})
export type BlobRemovalEntity = InferEntity<typeof BlobRemovalEntity>
