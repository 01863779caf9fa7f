import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { isStaff, requireStaff } from '#shared/contracts/staff.ts'
import { say } from '#shared/contracts/say.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import type { SupervisorState } from './state.ts'

/** Opens the conversation on its first message, for the principal that says it; refuses strangers afterwards. */
export async function openConversation(ctx: Context<SupervisorState>, sql: TenantSql, channel: string): Promise<void> {
  if (ctx.state.user !== '') return requireOwner(ctx)
  const user = ctx.cause.principal?.user
  if (user === undefined) throw refuse('FORBIDDEN', { reason: 'A conversation belongs to somebody.' })
  ctx.state.user = user
  await createConversation(sql, { id: ctx.key[0]!, userId: user, channel })
  say(ctx, 'conversation:opened', { user, channel })
}

/** Staff of the tenant, in a conversation that is there; gives back who it is. */
export function requireOperator(ctx: Context<SupervisorState>): string {
  const user = requireStaff(ctx, 'This is')
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  return user
}

/** The person whose conversation it is, or staff of the tenant. */
export function requireOwner(ctx: Context<SupervisorState>): void {
  const principal = ctx.cause.principal
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  if (principal === null || principal.user === ctx.state.user || isStaff(principal)) return
  throw refuse('FORBIDDEN', { reason: 'This conversation belongs to somebody else.' })
}
