import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { Agent, Route } from '#shared/contracts/agent.ts'
import type { StopReceipt } from '#shared/contracts/client.ts'
import type { Stop } from '#shared/contracts/supervisor.ts'
import { requireOwner } from './conversation.ts'
import { supersede } from './park.ts'
import type { SupervisorState, Turn } from './state.ts'
import { supersedeDraft } from './supersede-draft.ts'
import { endTurn, nextTurn } from './turns.ts'

/** Stops a turn, or the one at work; what stopped and what had happened comes with `turn:ended`. */
export async function stop(
  ctx: Context<SupervisorState>,
  { turnId, reason }: z.infer<typeof Stop>,
): Promise<StopReceipt> {
  requireOwner(ctx)
  const turn = ctx.state.turns.find((candidate) => turnId === null || candidate.turnId === turnId)
  if (turn === undefined) return { turnId: null, status: 'nothing' }
  turn.stopping ??= 'keep'
  const idle = turn.phase === 'queued' || turn.phase === 'parked' || turn.phase === 'review'
  stopTurn(ctx, turn, reason)
  // Nothing of it was at work; one that waited for more may have been the first in line.
  if (idle) await nextTurn(ctx, await ctx.sql())
  return { turnId: turn.turnId, status: 'stopping' }
}

/** Its end follows, at once where nothing of it is at work. */
export function stopTurn(ctx: Context<SupervisorState>, turn: Turn, reason: string): void {
  const conversationId = ctx.key[0]!
  switch (turn.phase) {
    case 'parked':
      // Where an agent waits for people, it knows what had happened and tells how it ended.
      if (turn.parked == null) {
        ctx.tell(Agent, [conversationId, turn.agent!], 'cancel', { turnId: turn.turnId, reason })
        break
      }
      supersede(ctx, turn.turnId)
      endTurn(ctx, turn, 'stopped', null, { stopped: [`turn ${turn.turnId}`], couldNot: [], happened: [] })
      break
    case 'queued':
      endTurn(ctx, turn, 'stopped', null, { stopped: [`turn ${turn.turnId}`], couldNot: [], happened: [] })
      break
    case 'review':
      supersedeDraft(ctx, turn, reason)
      endTurn(ctx, turn, 'stopped', null, { stopped: [`turn ${turn.turnId}`], couldNot: [], happened: [] })
      break
    case 'routing':
      ctx.stop(Route, [conversationId, turn.turnId], reason)
      break
    case 'running':
      ctx.tell(Agent, [conversationId, turn.agent!], 'cancel', { turnId: turn.turnId, reason })
      break
  }
}
