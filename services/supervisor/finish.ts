import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { Finished } from '#shared/contracts/supervisor.ts'
import type { Spent } from '#shared/contracts/budget.ts'
import { tokensOf } from '#shared/contracts/budget.ts'
import { followMessage } from '#shared/db/repositories/message-tree.ts'
import { changeBranch, takeBack } from './active-branch.ts'
import { settle } from './allotment.ts'
import { handOver, spentUp } from './budgets.ts'
import { parkDraft } from './drafts.ts'
import { keepUnsaid } from './notes.ts'
import { parkHandoff } from './park.ts'
import { sendPublic } from './send-public.ts'
import { draftsOnly } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

/** An agent is done with its turn: what it has to say is said, and the next message in line is begun. */
export async function finish(ctx: Ctx, end: z.infer<typeof Finished>): Promise<void> {
  const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.turnId)
  if (turn === undefined) return
  const sql = await ctx.sql()
  const heard = end.heard ?? []
  await joinHeard(ctx, sql, turn, heard)
  if (end.usage !== undefined) await settle(ctx, sql, turn, end.usage)
  if (turn.stopping === 'rollback') {
    await takeBack(ctx, sql, turn, heard)
    endTurn(ctx, turn, 'stopped', null, end.report)
    return await nextTurn(ctx, sql)
  }
  if (turn.stopping === null && !turn.ending) {
    if (end.spent != null) return await outOfBudget(ctx, sql, turn, end, end.spent)
    if (end.handover != null) return await handOver(ctx, sql, turn, end)
  }
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
  if (end.outcome === 'escalated') {
    const reason = escalation(end.message)
    say(ctx, 'human:offered', { turnId: end.turnId, reason })
    parkHandoff(ctx, turn, reason)
  }
  await closeTurn(ctx, sql, turn, end)
}

async function outOfBudget(
  ctx: Ctx,
  sql: TenantSql,
  turn: Turn,
  end: z.infer<typeof Finished>,
  spent: Spent,
): Promise<void> {
  const onSpent = end.parked === true ? 'ask' : 'end'
  turn.settled = { tokens: tokensOf(spent.usage), costMicros: spent.usage.costMicros }
  const run = { runId: end.runId, thread: end.thread ?? '' }
  await spentUp(ctx, sql, turn, end.agent, { scope: 'turn', ...spent, onSpent }, run)
}

/** Ends a turn; a branch on which nothing came to be said is left again. */
async function closeTurn(ctx: Ctx, sql: TenantSql, turn: Turn, end: z.infer<typeof Finished>): Promise<void> {
  const { branch, messageId } = turn
  const unsaid = branch !== null && branch.kind !== 'edit' && ctx.state.lastMessageId === messageId
  if (unsaid && branch.leafBefore !== null) await changeBranch(ctx, sql, branch.leafBefore, 'nothing said')
  endTurn(ctx, turn, end.outcome, end.error, end.report)
  await nextTurn(ctx, sql)
}

/** What the turn heard while it was at work follows the message it answers, one after the other. */
async function joinHeard(ctx: Ctx, sql: TenantSql, turn: Turn, heard: readonly string[]): Promise<void> {
  // The first was stored behind the question; where that is an older one, more was said since.
  let before = turn.follows
  for (const id of heard) {
    if (before !== null) await followMessage(sql, id, before)
    before = id
  }
  const last = heard.at(-1)
  if (last !== undefined) ctx.state.lastMessageId = last
}

function escalation(message: MessageFact | null): string {
  const data = message?.data as { escalate?: unknown } | null | undefined
  return typeof data?.escalate === 'string' ? data.escalate : 'asked for a person'
}
