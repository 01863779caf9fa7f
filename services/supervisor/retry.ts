import type { z } from 'zod'
import type { Context, GivenUp } from '#shared/actor/definition.ts'
import { RouteInput } from '#shared/contracts/agent.ts'
import type { Retry } from '#shared/contracts/supervisor.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { SupervisorState, Turn } from './state.ts'
import { beginTurn, newTurn, recentHistory } from './turns.ts'

/** A message whose turn was given up gets another: somebody replayed its dead letter. */
export async function retry(
  ctx: Context<SupervisorState>,
  { messageId, text, agent }: z.infer<typeof Retry>,
): Promise<void> {
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  if (ctx.state.turns.some((turn) => turn.messageId === messageId)) return
  const turn: Turn = { ...newTurn(ctx, { text, wanted: agent }), messageId }
  ctx.state.turns.push(turn)
  if (ctx.state.turns.length === 1) beginTurn(ctx, turn, await recentHistory(ctx, await ctx.sql()))
}

/** Of the supervisor's own children: the choice of who answers. */
export async function again(ctx: Context<SupervisorState>, child: GivenUp): Promise<void> {
  const { text, wanted, messageId } = RouteInput.parse(child.input)
  await retry(ctx, { messageId, text, agent: wanted })
}
