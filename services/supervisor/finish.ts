import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished } from '#shared/contracts/supervisor.ts'
import { tokensOf } from '#shared/contracts/budget.ts'
import { settle } from './allotment.ts'
import { handOver, spentUp } from './budgets.ts'
import { sendPublic } from './send-public.ts'
import type { SupervisorState } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

/** An agent is done with its turn: what it has to say is said, and the next message in line is begun. */
export async function finish(ctx: Context<SupervisorState>, end: z.infer<typeof Finished>): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.turnId)
  if (turn === undefined) return
  const sql = await ctx.sql()
  if (end.usage !== undefined) await settle(ctx, sql, turn, end.usage)
  if (end.spent != null) {
    const thread = end.thread ?? ''
    const onSpent = end.parked === true ? 'ask' : 'end'
    turn.settled = { tokens: tokensOf(end.spent.usage), costMicros: end.spent.usage.costMicros }
    return await spentUp(
      ctx,
      sql,
      turn,
      end.agent,
      { scope: 'turn', ...end.spent, onSpent },
      { runId: end.runId, thread },
    )
  }
  if (end.handover != null) return await handOver(ctx, sql, turn, end)
  if (end.message !== null && (await sendPublic(ctx, sql, ctx.cause.control, end.message, end))) {
    ctx.state.lastMessageId = end.message.id
    ctx.state.current = end.agent
  }
  if (end.outcome === 'escalated') say(ctx, 'human:offered', { turnId: end.turnId, reason: escalation(end.message) })
  endTurn(ctx, turn, end.outcome, end.error, end.report)
  await nextTurn(ctx, sql)
}

function escalation(message: MessageFact | null): string {
  const data = message?.data as { escalate?: unknown } | null | undefined
  return typeof data?.escalate === 'string' ? data.escalate : 'asked for a person'
}
