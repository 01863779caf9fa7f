import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { BranchReceipt, SendReceipt } from '#shared/contracts/client.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import { isStaff } from '#shared/contracts/staff.ts'
import { leafUnder } from '#shared/db/repositories/message-tree.ts'
import { messageById } from '#shared/db/repositories/messages.ts'
import type { Message } from '#shared/db/repositories/messages.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { changeBranch } from './active-branch.ts'
import { requireOwner } from './conversation.ts'
import type { SupervisorState } from './state.ts'
import { newTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

/** Answers a question once more, beside the answer that is there. */
export async function regenerate(
  ctx: Ctx,
  { messageId, agent }: { readonly messageId: string; readonly agent: string | null },
): Promise<SendReceipt> {
  requireOwner(ctx)
  requireIdle(ctx)
  const sql = await ctx.sql()
  const question = await questionOf(ctx, sql, messageId)
  const turn = newTurn(ctx, { text: question.content, wanted: agent, parentId: question.parentId })
  turn.messageId = question.id
  turn.branch = { kind: 'regenerate', leafBefore: ctx.state.lastMessageId }
  ctx.state.turns.push(turn)
  await nextTurn(ctx, sql)
  return { messageId: question.id, turnId: turn.turnId, status: 'accepted' }
}

/** Makes the branch through a message the active one, down to where it was left. */
export async function selectBranch(ctx: Ctx, { messageId }: { readonly messageId: string }): Promise<BranchReceipt> {
  requireOwner(ctx)
  requireIdle(ctx)
  const sql = await ctx.sql()
  const message = await ownMessage(ctx, sql, messageId)
  const leafId = await leafUnder(sql, message.id)
  if (leafId !== ctx.state.lastMessageId) await changeBranch(ctx, sql, leafId, 'select')
  return { leafId }
}

/** The message that a new one stands for. It must be a person's own, and cannot be an edit and a word in passing at once. */
export async function editedMessage(
  ctx: Ctx,
  sql: TenantSql,
  id: string,
  policy: WhileRunning | undefined,
): Promise<Message> {
  const message = await ownMessage(ctx, sql, id)
  const user = ctx.cause.principal?.user
  if (message.role !== 'user')
    throw refuse('BAD_INPUT', { fields: [{ path: 'editOf', problem: 'not said by a person' }] })
  if (message.author !== user && !isStaff(ctx.cause.principal))
    throw refuse('FORBIDDEN', { reason: 'Somebody else said that.' })
  if (policy === 'steer' || policy === 'debounce')
    throw refuse('BAD_INPUT', { fields: [{ path: 'whileRunning', problem: `an edit cannot ${policy}` }] })
  return message
}

export function requireIdle(ctx: Ctx): void {
  const [turn] = ctx.state.turns
  if (turn !== undefined) throw refuse('BUSY', { turnId: turn.turnId })
}

export async function ownMessage(ctx: Ctx, sql: TenantSql, id: string): Promise<Message> {
  const message = await messageById(sql, id)
  if (message === null || message.conversationId !== ctx.key[0] || message.retractedAt !== null)
    throw refuse('NOT_FOUND', { message: id })
  return message
}

/** The question that a message is, or answers. */
async function questionOf(ctx: Ctx, sql: TenantSql, id: string): Promise<Message> {
  const message = await ownMessage(ctx, sql, id)
  if (message.role === 'user') return message
  if (message.parentId === null) throw refuse('NOT_FOUND', { question: id })
  const question = await ownMessage(ctx, sql, message.parentId)
  if (question.role !== 'user') throw refuse('NOT_FOUND', { question: id })
  return question
}
