import type { Context } from '#shared/actor/definition.ts'
import type { Decided } from '#shared/contracts/review.ts'
import { decideBudget } from './budgets.ts'
import { takeForReview } from './control-actions.ts'
import { draftDecided } from './drafts.ts'
import type { SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>

/** An agent says that its turn waits for people, or goes on after they have decided. */
export function parked(ctx: Ctx, { turnId, waits }: { readonly turnId: string; readonly waits: boolean }): void {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === turnId)
  if (turn !== undefined) turn.phase = waits ? 'parked' : 'running'
}

/** What became of an item that this conversation has parked. Late ones find nothing that waits, and change nothing (I7). */
export async function decided(ctx: Ctx, { turnId, kind, decision, by }: Decided): Promise<void> {
  switch (kind) {
    case 'draft_reply':
      return await draftDecided(ctx, turnId, decision, by)
    case 'handoff':
      if (decision.action === 'approve') await takeForReview(ctx, by)
      return
    case 'budget':
      return await decideBudget(ctx, turnId, decision, by)
    // Those of agents are told to them.
    case 'tool_call':
    case 'question':
  }
}
