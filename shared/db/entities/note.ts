import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** What is said beside a conversation and never to the customer. */
export const NoteEntity = defineEntity({
  name: 'Note',
  tableName: 'notes',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    conversationId: p.text(),
    seq: p.bigint('number').generated('identity'),
    kind: p.enum(['note', 'whisper', 'draft', 'learned']),
    author: p.text(),
    clientId: p.text().default(''),
    content: p.text(),
    turnId: p.text().nullable(),
    state: p.enum(['kept', 'waiting', 'delivered', 'missed']).default('kept'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
})
export type NoteEntity = InferEntity<typeof NoteEntity>
