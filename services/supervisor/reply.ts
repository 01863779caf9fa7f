import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { Reply } from '#shared/contracts/supervisor.ts'
import { requireOperator } from './conversation.ts'
import { readSettings } from './control-settings.ts'
import { messageOf } from './messages.ts'
import { watchOwner } from './owner-watch.ts'
import { sendPublic } from './send-public.ts'
import type { SupervisorState } from './state.ts'
import { findByClientId } from './stored-messages.ts'

/** A person answers the customer. Only who has the voice can: STALE_CONTROL names who it is (I7). */
export async function reply(
  ctx: Context<SupervisorState>,
  { clientId, text }: z.infer<typeof Reply>,
): Promise<{ messageId: string }> {
  const user = requireOperator(ctx)
  const sql = await ctx.sql()
  const { owner, mode, control } = ctx.state
  // The same reply again gets the same answer, also when the voice has moved on meanwhile.
  const before = await findByClientId(sql, ctx.key[0]!, user, clientId)
  if (before !== null && before.text === text) return { messageId: before.id }
  if (before !== null) throw refuse('ID_REUSED', { id: clientId })
  if (mode !== 'human' || owner !== user) throw refuse('STALE_CONTROL', { owner, mode, control })
  const message = messageOf(ctx, {
    id: ctx.newId(),
    clientId,
    parentId: ctx.state.lastMessageId,
    role: 'operator',
    author: user,
    text,
  })
  await sendPublic(ctx, sql, control, message, { turnId: null, runId: null }, { principal: user })
  ctx.state.lastMessageId = message.id
  ctx.state.unanswered = null
  watchOwner(ctx, (await readSettings(sql)).control)
  return { messageId: message.id }
}
