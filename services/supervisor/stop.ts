import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { Agent, Route } from '#shared/contracts/agent.ts'
import type { StopReceipt } from '#shared/contracts/client.ts'
import type { Stop } from '#shared/contracts/supervisor.ts'
import { requireOwner } from './conversation.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn } from './turns.ts'

/** Stops a turn, or the one at work; what stopped and what had happened comes with `turn:ended`. */
export function stop(ctx: Context<SupervisorState>, { turnId, reason }: z.infer<typeof Stop>): StopReceipt {
  requireOwner(ctx)
  const turn = ctx.state.turns.find((candidate) => turnId === null || candidate.turnId === turnId)
  if (turn === undefined) return { turnId: null, status: 'nothing' }
  stopTurn(ctx, turn, reason)
  return { turnId: turn.turnId, status: 'stopping' }
}

/** Its end follows, at once where nothing of it is at work. */
export function stopTurn(ctx: Context<SupervisorState>, turn: Turn, reason: string): void {
  const conversationId = ctx.key[0]!
  switch (turn.phase) {
    case 'queued':
      endTurn(ctx, turn, 'stopped', null, { stopped: [`turn ${turn.turnId}`], couldNot: [], happened: [] })
      break
    case 'routing':
      ctx.stop(Route, [conversationId, turn.turnId], reason)
      break
    case 'running':
    case 'parked':
      ctx.tell(Agent, [conversationId, turn.agent!], 'cancel', { turnId: turn.turnId, reason })
      break
  }
}
