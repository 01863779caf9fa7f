import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A question whose right passage is known. */
export const GoldenQuestionEntity = defineEntity({
  name: 'GoldenQuestion',
  tableName: 'golden_questions',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    id: p.text().primary(),
    question: p.text(),
    documents: p.array().defaultRaw("'{}'"),
    quote: p.text().default(''),
    createdAt: p.bigint('number'),
  },
})
export type GoldenQuestionEntity = InferEntity<typeof GoldenQuestionEntity>
