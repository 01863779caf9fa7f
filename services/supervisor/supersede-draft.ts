import type { Context } from '#shared/actor/definition.ts'
import { say } from '#shared/contracts/say.ts'
import { supersede } from './park.ts'
import type { SupervisorState, Turn } from './state.ts'

/** Nobody needs to decide on it any more; a late decision finds no turn. */
export function supersedeDraft(ctx: Context<SupervisorState>, turn: Turn, reason: string): void {
  if (turn.draft === null) return
  const { turnId } = turn
  const by = ctx.cause.principal?.user ?? ''
  say(ctx, 'draft:decided', { turnId, messageId: turn.draft.message.id, outcome: 'superseded', by, reason })
  supersede(ctx, turnId)
}
