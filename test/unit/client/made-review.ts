import type { ReviewItem } from '#shared/contracts/review.ts'

/** An open item for a refund, with whatever a test needs of it otherwise. */
export function reviewItem(change: Partial<ReviewItem> = {}): ReviewItem {
  return {
    id: 'r1-1-0',
    conversationId: 'c1',
    turnId: 't1',
    runId: 'r1',
    agent: 'billing',
    kind: 'tool_call',
    tool: 'refund',
    title: 'Refund',
    reason: 'Money leaves.',
    proposal: { cents: 900 },
    schema: { type: 'object' },
    evidence: [],
    team: '',
    claimedBy: null,
    claimedUntil: null,
    quorum: 1,
    approvals: [],
    argsHash: 'h1',
    nonce: 'n1',
    createdAt: 1_700_000_000_000,
    dueAt: 1_700_000_600_000,
    expiresAt: null,
    onExpiry: 'wait',
    state: 'open',
    decision: null,
    revision: 1,
    ...change,
  }
}
