import type { Context } from '#shared/actor/definition.ts'
import { Desk } from '#shared/contracts/review.ts'
import type { Decided } from '#shared/contracts/review.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/** A hand-off that nobody has accepted is overdue after this. It waits for ever: a customer was promised a person. */
const HANDOFF_DUE_MS = 5 * 60_000
const EVIDENCE_CHARS = 2_000

/** Asks for somebody who takes the conversation over. While one such item is open, the desk takes no other. */
export function parkHandoff(ctx: Ctx, turn: Turn, reason: string): void {
  const conversationId = ctx.key[0]!
  const item = {
    id: `${turn.turnId}-handoff`,
    turnId: turn.turnId,
    runId: turn.runId ?? '',
    agent: turn.agent ?? '',
    kind: 'handoff' as const,
    tool: '',
    title: 'The customer waits for a person',
    proposal: { reason },
    schema: null,
    evidence: [{ kind: 'message', text: turn.text.slice(0, EVIDENCE_CHARS).toWellFormed() }],
    terms: {
      reason,
      team: '',
      quorum: 1,
      dueMs: HANDOFF_DUE_MS,
      expiresMs: null,
      onExpiry: 'wait' as const,
      escalateTo: [],
    },
  }
  ctx.tell(
    Desk,
    conversationId,
    'park',
    { item, origin: { kind: 'supervisor', key: [conversationId] } },
    { fresh: true },
  )
}

/** An agent says that its turn waits for people, or goes on after they have decided. */
export function parked(ctx: Ctx, { turnId, waits }: { readonly turnId: string; readonly waits: boolean }): void {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === turnId)
  if (turn !== undefined) turn.phase = waits ? 'parked' : 'running'
}

/** What became of an item that this conversation has parked. */
export function decided(ctx: Ctx, { itemId, kind, decision, by }: Decided): void {
  ctx.log.info({ item: itemId, kind, decision: decision.action, by }, 'a person has decided')
}
