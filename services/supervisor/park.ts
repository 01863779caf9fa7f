import type { Context } from '#shared/actor/definition.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { Desk, ReviewTerms, askedEvidence } from '#shared/contracts/review.ts'
import type { NewReviewItem } from '#shared/contracts/review.ts'
import type { NothingLeft } from './allotment.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/** A hand-off that nobody has accepted, or a draft that nobody has read, is overdue after this. */
const DUE_MS = 5 * 60_000

/** Asks for somebody who takes the conversation over. While one such item is open, the desk takes no other. */
export function parkHandoff(ctx: Ctx, turn: Turn, reason: string): void {
  park(ctx, turn, {
    id: `${turn.turnId}-handoff`,
    kind: 'handoff',
    title: 'The customer waits for a person',
    proposal: { reason },
    schema: null,
    terms: ReviewTerms.parse({ reason, dueMs: DUE_MS }),
  })
}

/** Asks whether an answer may be said. */
export function parkReply(ctx: Ctx, turn: Turn, { id, text }: MessageFact): void {
  park(ctx, turn, {
    id: `${id}-draft`,
    kind: 'draft_reply',
    title: `An answer of ${turn.agent ?? 'an agent'}`,
    proposal: { text },
    schema: TEXT_SCHEMA,
    terms: ReviewTerms.parse({
      reason: 'Answers in this conversation are looked over before they are said.',
      dueMs: DUE_MS,
    }),
  })
}

/** Asks whether a turn may spend more: as much again if it is approved as it is, or what an edit names. */
export function parkBudget(ctx: Ctx, turn: Turn, { scope, what, used, limit }: NothingLeft, runId: string): void {
  const more = { tokens: 0, costMicros: 0, wallMs: 0, [what]: limit }
  park(ctx, turn, {
    // Raised too little it is asked again, by another item.
    id: `${turn.turnId}-budget-${ctx.newId()}`,
    kind: 'budget',
    title: `The ${scope} has spent its ${what}: ${used} of ${limit}`,
    proposal: more,
    schema: MORE_SCHEMA,
    terms: ReviewTerms.parse({ reason: `The budget of the ${scope} is spent.`, dueMs: DUE_MS }),
    ...(runId === '' ? {} : { runId }),
  })
}

/** Nobody needs to decide about this turn any more. */
export function supersede(ctx: Ctx, turnId: string): void {
  ctx.tell(Desk, ctx.key[0]!, 'supersede', { turnId }, { fresh: true })
}

type Asked = Pick<NewReviewItem, 'id' | 'kind' | 'title' | 'proposal' | 'schema' | 'terms'> & {
  readonly runId?: string
}

function park(ctx: Ctx, turn: Turn, asked: Asked): void {
  const conversationId = ctx.key[0]!
  const item: NewReviewItem = {
    turnId: turn.turnId,
    runId: turn.runId ?? '',
    agent: turn.agent ?? '',
    tool: '',
    evidence: [askedEvidence(turn.text)],
    ...asked,
  }
  const origin = { kind: 'supervisor' as const, key: [conversationId] }
  ctx.tell(Desk, conversationId, 'park', { item, origin }, { fresh: true })
}

const TEXT_SCHEMA = {
  type: 'object',
  properties: { text: { type: 'string', minLength: 1, maxLength: 16_000 } },
  required: ['text'],
  additionalProperties: false,
}
const AMOUNT = { type: 'integer', minimum: 0 }
const MORE_SCHEMA = {
  type: 'object',
  properties: { tokens: AMOUNT, costMicros: AMOUNT, wallMs: AMOUNT },
  additionalProperties: false,
}
