import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** An answer that a person gave or mended. */
export const CuratedAnswerEntity = defineEntity({
  name: 'CuratedAnswer',
  tableName: 'curated_answers',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    id: p.text().primary(),
    question: p.text(),
    answer: p.text(),
    citations: p.json<unknown[]>().columnType('json').defaultRaw("'[]'"),
    terms: p.array(),
    hits: p.integer().default(0),
    createdBy: p.text(),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})
export type CuratedAnswerEntity = InferEntity<typeof CuratedAnswerEntity>
