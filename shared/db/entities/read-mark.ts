import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** How far somebody has read. */
export const ReadMarkEntity = defineEntity({
  name: 'ReadMark',
  tableName: 'read_marks',
  properties: {
    tenant: p.text().primary(),
    conversationId: p.text().primary(),
    userId: p.text().primary(),
    messageId: p.text(),
    seq: p.bigint('number'),
    at: p.datetime().defaultRaw('now()'),
  },
})
export type ReadMarkEntity = InferEntity<typeof ReadMarkEntity>
