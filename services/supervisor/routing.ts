import type { ChildEnd, Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { RouteResult } from '#shared/contracts/agent.ts'
import { publicFailureOf } from '#shared/contracts/failure.ts'
import { say } from '#shared/contracts/say.ts'
import { giveTurn } from './budgets.ts'
import { messageOf } from './messages.ts'
import { parkHandoff } from './park.ts'
import { sendPublic } from './send-public.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

/** The run that chose who answers has ended: the turn goes to that agent, or is over. */
export async function routed(ctx: Ctx, end: ChildEnd): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.key[1])
  if (turn === undefined || turn.phase !== 'routing') return
  const sql = await ctx.sql()
  if (end.state === 'stopped') {
    endTurn(ctx, turn, 'stopped', null, { stopped: ['routing'], couldNot: [], happened: [] })
    return await nextTurn(ctx, sql)
  }
  if (end.state === 'failed') {
    endTurn(ctx, turn, 'failed', publicFailureOf(end.error ?? { code: 'INTERNAL', details: {} }), null)
    return await nextTurn(ctx, sql)
  }
  const { agent, reason, ms, whileRunning, limits } = RouteResult.parse(end.result)
  turn.limits = limits
  say(ctx, 'route:decided', { turnId: turn.turnId, agent, reason, ms })
  if (agent !== null) {
    ctx.state.whileRunning = whileRunning
    return await giveTurn(ctx, sql, turn, agent)
  }
  await offerHuman(ctx, sql, turn)
  await nextTurn(ctx, sql)
}

/** Nobody fits: that is said, and a person is offered. */
async function offerHuman(ctx: Ctx, sql: TenantSql, turn: Turn): Promise<void> {
  const { turnId, messageId, answerId } = turn
  const message = messageOf(ctx, {
    id: answerId,
    parentId: messageId,
    role: 'system',
    author: 'system',
    text: NOBODY_FITS,
  })
  await sendPublic(ctx, sql, ctx.state.control, message, { turnId, runId: null })
  ctx.state.lastMessageId = message.id
  say(ctx, 'human:offered', { turnId, reason: 'no agent fits' })
  parkHandoff(ctx, turn, 'no agent fits')
  endTurn(ctx, turn, 'refused', publicFailureOf({ code: 'NO_AGENT', details: {} }), null)
}

const NOBODY_FITS = 'None of our assistants can help with that. Shall I ask a person to answer you?'
