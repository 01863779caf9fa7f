import { defineEntity, p } from '@mikro-orm/core'
import type { InferEntity } from '@mikro-orm/core'

/** Something that waits for a person's decision, or had one. */
export const ReviewItemEntity = defineEntity({
  name: 'ReviewItem',
  tableName: 'review_items',
  properties: {
    tenant: p.text().primary(),
    id: p.text().primary(),
    conversationId: p.text(),
    turnId: p.text(),
    runId: p.text(),
    agent: p.text(),
    kind: p.enum(['tool_call', 'draft_reply', 'question', 'handoff', 'budget']),
    tool: p.text().default(''),
    title: p.text(),
    reason: p.text(),
    proposal: p.json<Record<string, unknown>>().columnType('json'),
    schema: p.json<Record<string, unknown>>().columnType('json').nullable(),
    evidence: p.json<unknown[]>().columnType('json'),
    team: p.text().default(''),
    claimedBy: p.text().nullable(),
    claimedUntil: p.bigint('number').nullable(),
    quorum: p.integer().default(1),
    approvals: p.json<unknown[]>().columnType('json'),
    argsHash: p.text(),
    nonce: p.text(),
    createdAt: p.bigint('number'),
    dueAt: p.bigint('number').nullable(),
    expiresAt: p.bigint('number').nullable(),
    onExpiry: p.enum(['wait', 'deny', 'allow', 'escalate']).default('wait'),
    escalateTo: p.json<string[]>().columnType('json'),
    expiresAfterMs: p.bigint('number').nullable(),
    state: p.enum(['open', 'approved', 'edited', 'rejected', 'answered', 'expired', 'superseded']).default('open'),
    decision: p.json<Record<string, unknown>>().columnType('json').nullable(),
    originKind: p.enum(['agent', 'supervisor']),
    originKey: p.text(),
    revision: p.integer().default(1),
  },
})
export type ReviewItemEntity = InferEntity<typeof ReviewItemEntity>
