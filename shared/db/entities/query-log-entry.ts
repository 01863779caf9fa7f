import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** What was asked of collections outside a conversation. */
export const QueryLogEntryEntity = defineEntity({
  name: 'QueryLogEntry',
  tableName: 'query_log',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    askedBy: p.text(),
    collections: p.array(),
    question: p.text(),
    answer: p.text(),
    citations: p.json<unknown[]>().columnType('json'),
    covered: p.boolean(),
    ms: p.integer(),
    at: p.bigint('number'),
  },
})
export type QueryLogEntryEntity = InferEntity<typeof QueryLogEntryEntity>
