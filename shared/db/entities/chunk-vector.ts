import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'
import { HalfvecType } from 'pgvector/mikro-orm'

/** Where a chunk lies among the others of its generation. Written and searched by shared/vectors, in SQL. */
export const ChunkVectorEntity = defineEntity({
  name: 'ChunkVector',
  tableName: 'chunk_vectors',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    generation: p.integer().primary(),
    segment: p.bigint('number').primary(),
    ordinal: p.integer().primary(),
    vector: p.type(HalfvecType),
  },
})
export type ChunkVectorEntity = InferEntity<typeof ChunkVectorEntity>
