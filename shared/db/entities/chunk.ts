import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** What is found. */
export const ChunkEntity = defineEntity({
  name: 'Chunk',
  tableName: 'chunks',
  properties: {
    tenant: p.text().primary(),
    segment: p.bigint('number').primary(),
    ordinal: p.integer().primary(),
    document: p.text(),
    version: p.integer(),
    collection: p.text(),
    kind: p.text(),
    begins: p.integer(),
    ends: p.integer(),
    text: p.text(),
    headings: p.array(),
    header: p.text(),
    firstPage: p.integer(),
    lastPage: p.integer(),
    boxes: p.json<unknown[]>().columnType('json'),
    language: p.text(),
    tokens: p.integer(),
    length: p.float().columnType('real'),
    parent: p.integer().nullable(),
  },
})
export type ChunkEntity = InferEntity<typeof ChunkEntity>
