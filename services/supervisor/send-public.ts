import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { storeMessage } from './stored-messages.ts'

/**
 * The one way a finished message becomes public (I7): stored and announced in one transaction, under the control epoch
 * that holds in that transaction. What was prepared under an earlier owner of the voice is not said; false tells so.
 */
export async function sendPublic(
  ctx: Context<unknown>,
  sql: TenantSql,
  conversation: { readonly id: string; readonly control: number },
  spokenUnder: number,
  message: MessageFact,
  run: { readonly turnId: string; readonly runId: string | null },
): Promise<boolean> {
  if (spokenUnder !== conversation.control) return false
  await storeMessage(sql, message, {
    conversationId: conversation.id,
    control: conversation.control,
    turnId: run.turnId,
    runId: run.runId,
    principal: '',
  })
  ctx.emit('message:completed', message, { audience: 'pub', control: conversation.control })
  return true
}
