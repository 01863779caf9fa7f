import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished } from '#shared/contracts/supervisor.ts'
import { parkDraft } from './drafts.ts'
import { keepUnsaid } from './notes.ts'
import { sendPublic } from './send-public.ts'
import { draftsOnly } from './state.ts'
import type { SupervisorState } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

/** An agent is done with its turn: what it has to say is said, and the next message in line is begun. */
export async function finish(ctx: Context<SupervisorState>, end: z.infer<typeof Finished>): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.turnId)
  if (turn === undefined) return
  const sql = await ctx.sql()
  const { message } = end
  const isDraft = draftsOnly(ctx.state) && ctx.cause.control === ctx.state.control
  if (message !== null && isDraft && end.outcome !== 'stopped') return parkDraft(ctx, turn, message, end.outcome)
  if (message !== null && !isDraft && (await sendPublic(ctx, sql, ctx.cause.control, message, end))) {
    ctx.state.lastMessageId = message.id
    ctx.state.current = end.agent
  } else if (message !== null) {
    await keepUnsaid(ctx, sql, message, end.turnId)
    if (end.outcome === 'answered') end.outcome = 'stopped'
  }
  if (end.outcome === 'escalated') say(ctx, 'human:offered', { turnId: end.turnId, reason: escalation(end.message) })
  endTurn(ctx, turn, end.outcome, end.error, end.report)
  await nextTurn(ctx, sql)
}

function escalation(message: MessageFact | null): string {
  const data = message?.data as { escalate?: unknown } | null | undefined
  return typeof data?.escalate === 'string' ? data.escalate : 'asked for a person'
}
