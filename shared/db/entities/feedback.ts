import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A decision that taught something: proposed, decided, and why. */
export const FeedbackEntity = defineEntity({
  name: 'Feedback',
  tableName: 'feedback',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    itemId: p.text(),
    conversationId: p.text(),
    runId: p.text(),
    agent: p.text(),
    kind: p.text(),
    tool: p.text().default(''),
    label: p.enum(['edited', 'rejected', 'answered']),
    proposed: p.json<Record<string, unknown>>().columnType('json'),
    decided: p.json<unknown>().columnType('json').nullable(),
    reason: p.text().default(''),
    decidedBy: p.text(),
    at: p.bigint('number'),
  },
})
export type FeedbackEntity = InferEntity<typeof FeedbackEntity>
