import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Something that was given to be known. */
export const DocumentEntity = defineEntity({
  name: 'Document',
  tableName: 'documents',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    collection: p.text(),
    title: p.text(),
    source: p.json<Record<string, unknown>>(),
    mime: p.text().default(''),
    tags: p.array().defaultRaw("'{}'"),
    metadata: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    access: p.array().defaultRaw("'{}'"),
    liveVersion: p.integer().nullable(),
    liveSegment: p.bigint('number').nullable(),
    lastVersion: p.integer().default(0),
    deletedAt: p.bigint('number').nullable(),
    recrawlMs: p.bigint('number').nullable(),
    createdBy: p.text(),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})
export type DocumentEntity = InferEntity<typeof DocumentEntity>
