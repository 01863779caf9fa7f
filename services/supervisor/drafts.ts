import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact, TurnOutcome } from '#shared/contracts/event-map.ts'
import type { Decision } from '#shared/contracts/review.ts'
import { say } from '#shared/contracts/say.ts'
import { dispatch } from './dispatch.ts'
import { parkReply } from './park.ts'
import { sendPublic } from './send-public.ts'
import { askedIn } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

/** How often an agent writes another answer after one was rejected; then the turn is over, and the question open. */
export const MAX_REWRITES = 3

/** An agent's answer waits for a person: it is in the turn, in no message, and only staff is told of it. */
export function parkDraft(ctx: Ctx, turn: Turn, message: MessageFact, outcome: TurnOutcome): void {
  turn.phase = 'review'
  turn.draft = { message, control: ctx.state.control, outcome }
  say(ctx, 'draft:completed', { turnId: turn.turnId, message })
  parkReply(ctx, turn, message)
}

/**
 * A person has decided what becomes of a draft. One that was written under an earlier owner of the voice is not said,
 * however late its approval comes (I7): its turn is gone, or `sendPublic` refuses it.
 */
export async function draftDecided(ctx: Ctx, turnId: string, decision: Decision, by: string): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === turnId)
  if (turn === undefined || turn.phase !== 'review' || turn.draft === null) return
  const sql = await ctx.sql()
  const { message } = turn.draft
  switch (decision.action) {
    case 'approve':
      return await sayDraft(ctx, sql, turn, turn.draft, 'said', by)
    case 'edit':
    case 'answer': {
      const text = decision.action === 'answer' ? decision.text : textOf(decision.args, message.text)
      // What a person wrote over it is no longer a quotation.
      const edited = { ...message, text, extractive: message.extractive && text === message.text }
      return await sayDraft(ctx, sql, turn, { ...turn.draft, message: edited }, 'edited', by)
    }
    case 'reject':
      return await rewrite(ctx, sql, turn, message, decision.reason, by)
  }
}

async function sayDraft(
  ctx: Ctx,
  sql: TenantSql,
  turn: Turn,
  { message, control, outcome }: NonNullable<Turn['draft']>,
  how: 'said' | 'edited',
  by: string,
): Promise<void> {
  const { turnId, runId, agent } = turn
  if (await sendPublic(ctx, sql, control, message, { turnId, runId })) {
    ctx.state.lastMessageId = message.id
    ctx.state.current = agent
    say(ctx, 'draft:decided', { turnId, messageId: message.id, outcome: how, by, reason: '' })
    endTurn(ctx, turn, outcome, null, null)
  } else {
    const reason = 'somebody else has the voice now'
    say(ctx, 'draft:decided', { turnId, messageId: message.id, outcome: 'superseded', by, reason })
    endTurn(ctx, turn, 'stopped', null, null)
  }
  await nextTurn(ctx, sql)
}

/** The agent learns why, and writes another one. */
async function rewrite(
  ctx: Ctx,
  sql: TenantSql,
  turn: Turn,
  { id: messageId, text }: MessageFact,
  reason: string,
  by: string,
): Promise<void> {
  say(ctx, 'draft:decided', { turnId: turn.turnId, messageId, outcome: 'rejected', by, reason })
  turn.draft = null
  turn.rewrites += 1
  if (turn.rewrites > MAX_REWRITES || turn.agent === null) {
    ctx.state.unanswered = askedIn(turn)
    endTurn(ctx, turn, 'refused', null, null)
    return await nextTurn(ctx, sql)
  }
  turn.answerId = ctx.newId()
  const lesson = `You wrote: “${text}” Your colleague ${by} did not let that be said: ${reason} Write another answer.`
  await dispatch(ctx, sql, turn, turn.agent, lesson)
}

function textOf(args: Readonly<Record<string, unknown>>, otherwise: string): string {
  return typeof args['text'] === 'string' ? args['text'] : otherwise
}
