import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import type { SupervisorState } from './state.ts'
import { storeMessage } from './stored-messages.ts'

/**
 * The one way a finished message becomes public (I7): stored and announced in one transaction, under the control epoch
 * that holds in that transaction. What was prepared under an earlier owner of the voice is not said; false tells so.
 */
export async function sendPublic(
  ctx: Context<SupervisorState>,
  sql: TenantSql,
  spokenUnder: number,
  message: MessageFact,
  run: { readonly turnId: string | null; readonly runId: string | null },
  client: { readonly principal: string } = { principal: '' },
): Promise<boolean> {
  const { control } = ctx.state
  if (spokenUnder !== control) return false
  const { fresh } = await storeMessage(sql, message, {
    conversationId: ctx.key[0]!,
    control,
    turnId: run.turnId,
    runId: run.runId,
    principal: client.principal,
  })
  // The same client id again: it was said then.
  if (!fresh) return true
  say(ctx, 'message:completed', message, { control })
  return true
}
