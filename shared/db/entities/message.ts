import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A message; messages of a conversation are a tree by parentId. */
export const MessageEntity = defineEntity({
  name: 'Message',
  tableName: 'messages',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    conversationId: p.text(),
    seq: p.bigint('number').generated('identity'),
    parentId: p.text().nullable(),
    role: p.enum(['user', 'assistant', 'operator', 'system']),
    author: p.text(),
    principal: p.text().default(''),
    clientId: p.text().default(''),
    content: p.text(),
    data: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    revision: p.integer().default(1),
    controlEpoch: p.bigint('number').default(0),
    turnId: p.text().nullable(),
    runId: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    retractedAt: p.datetime().nullable(),
  },
})
export type MessageEntity = InferEntity<typeof MessageEntity>
