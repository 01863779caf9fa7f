import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** What the documents did not hold. */
export const UnansweredQuestionEntity = defineEntity({
  name: 'UnansweredQuestion',
  tableName: 'unanswered_questions',
  properties: {
    tenant: p.text().primary(),
    collection: p.text().primary(),
    id: p.text().primary(),
    question: p.text(),
    times: p.integer().default(1),
    coverage: p.double(),
    nearest: p.array(),
    state: p.enum(['open', 'dismissed', 'answered']).default('open'),
    firstAt: p.bigint('number'),
    lastAt: p.bigint('number'),
  },
})
export type UnansweredQuestionEntity = InferEntity<typeof UnansweredQuestionEntity>
