import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished } from '#shared/contracts/supervisor.ts'
import { parkHandoff } from './reviews.ts'
import { sendPublic } from './send-public.ts'
import type { SupervisorState } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

/** An agent is done with its turn: what it has to say is said, and the next message in line is begun. */
export async function finish(ctx: Context<SupervisorState>, end: z.infer<typeof Finished>): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.turnId)
  if (turn === undefined) return
  const sql = await ctx.sql()
  if (end.message !== null && (await sendPublic(ctx, sql, ctx.cause.control, end.message, end))) {
    ctx.state.lastMessageId = end.message.id
    ctx.state.current = end.agent
  }
  if (end.outcome === 'escalated') {
    const reason = escalation(end.message)
    say(ctx, 'human:offered', { turnId: end.turnId, reason })
    parkHandoff(ctx, turn, reason)
  }
  endTurn(ctx, turn, end.outcome, end.error, end.report)
  await nextTurn(ctx, sql)
}

function escalation(message: MessageFact | null): string {
  const data = message?.data as { escalate?: unknown } | null | undefined
  return typeof data?.escalate === 'string' ? data.escalate : 'asked for a person'
}
