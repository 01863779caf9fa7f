import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { SendReceipt } from '#shared/contracts/client.ts'
import { say } from '#shared/contracts/say.ts'
import type { Send } from '#shared/contracts/supervisor.ts'
import { openConversation } from './conversation.ts'
import { messageOf } from './messages.ts'
import { askedIn } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { storeMessage } from './stored-messages.ts'
import { beginTurn, newTurn, recentHistory } from './turns.ts'

/** Turns that may wait in one conversation; beyond it: BUSY. */
const MAX_QUEUED = 20

/** Stores and announces a message and begins its turn, or puts it in line. */
export async function send(
  ctx: Context<SupervisorState>,
  { clientId, text, agent, channel }: z.infer<typeof Send>,
): Promise<SendReceipt> {
  const sql = await ctx.sql()
  await openConversation(ctx, sql, channel)
  const user = ctx.cause.principal?.user ?? 'anonymous'
  const turn: Turn = newTurn(ctx, { text, wanted: agent })
  const message = messageOf(ctx, {
    id: turn.messageId,
    clientId,
    parentId: ctx.state.lastMessageId,
    role: 'user',
    author: user,
    text,
  })
  const forPerson = ctx.state.mode === 'human'
  const stored = await storeMessage(sql, message, {
    conversationId: ctx.key[0]!,
    control: ctx.state.control,
    turnId: forPerson ? null : turn.turnId,
    runId: null,
    principal: user,
  })
  if (!stored.fresh) return { messageId: stored.fact.id, turnId: stored.turnId ?? '', status: 'accepted' }
  // Only a new message can be one too many: a repeated one gets its receipt.
  if (ctx.state.turns.length > MAX_QUEUED) throw refuse('BUSY', { queued: ctx.state.turns.length, limit: MAX_QUEUED })
  say(ctx, 'message:received', message)
  ctx.state.lastMessageId = turn.messageId
  if (forPerson) {
    // No agent's turn begins; the latest is what an agent answers when it gets the voice back.
    ctx.state.unanswered = askedIn(turn)
    return { messageId: turn.messageId, turnId: '', status: 'accepted' }
  }
  ctx.state.turns.push(turn)
  const queued = ctx.state.turns.length > 1
  if (!queued) beginTurn(ctx, turn, await recentHistory(ctx, sql))
  return { messageId: turn.messageId, turnId: turn.turnId, status: queued ? 'queued' : 'accepted' }
}
