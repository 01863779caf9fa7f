import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A large file that comes in parts. */
export const UploadEntity = defineEntity({
  name: 'Upload',
  tableName: 'uploads',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    collection: p.text(),
    name: p.text(),
    bytes: p.bigint('number'),
    received: p.bigint('number').default(0),
    parts: p.json<unknown[]>().defaultRaw("'[]'"),
    request: p.json<Record<string, unknown>>(),
    createdBy: p.text(),
    createdAt: p.bigint('number'),
  },
})
export type UploadEntity = InferEntity<typeof UploadEntity>
