import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** A conversation and who has its voice (I7). */
export const ConversationEntity = defineEntity({
  name: 'Conversation',
  tableName: 'conversations',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    userId: p.text(),
    channel: p.text(),
    title: p.text().default(''),
    state: p.enum(['open', 'closed']).default('open'),
    owner: p.text().default(''),
    mode: p.enum(['auto', 'supervised', 'human', 'offered']).default('auto'),
    controlEpoch: p.bigint('number').default(1),
    metadata: p.json<Record<string, unknown>>().defaultRaw("'{}'"),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
    assignedUser: p.text().nullable(),
    assignedTeam: p.text().nullable(),
  },
})
export type ConversationEntity = InferEntity<typeof ConversationEntity>
