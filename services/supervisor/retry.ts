import type { z } from 'zod'
import type { Context, GivenUp } from '#shared/actor/definition.ts'
import { RouteInput } from '#shared/contracts/agent.ts'
import type { Retry } from '#shared/contracts/supervisor.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { SupervisorState } from './state.ts'
import { newTurn, nextTurn } from './turns.ts'

/** A message whose turn was given up gets another: somebody replayed its dead letter. */
export async function retry(
  ctx: Context<SupervisorState>,
  { messageId, text, agent }: z.infer<typeof Retry>,
): Promise<void> {
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  if (ctx.state.turns.some((turn) => turn.messageId === messageId)) return
  const turn = newTurn(ctx, { text, wanted: agent, parentId: null, messageId })
  turn.follows = ctx.state.lastMessageId ?? messageId
  ctx.state.turns.push(turn)
  await nextTurn(ctx, await ctx.sql())
}

/** Of the supervisor's own children: the choice of who answers. */
export async function again(ctx: Context<SupervisorState>, child: GivenUp): Promise<void> {
  const { text, wanted, messageId } = RouteInput.parse(child.input)
  await retry(ctx, { messageId, text, agent: wanted })
}
