import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { say } from '#shared/contracts/say.ts'
import { createConversation } from '#shared/db/repositories/conversations.ts'
import type { SupervisorState } from './state.ts'

/** Roles that may see and steer conversations of others in their tenant. */
const STAFF = ['operator', 'admin', 'platform']

/** Opens the conversation on its first message, for the principal that says it; refuses strangers afterwards. */
export async function openConversation(ctx: Context<SupervisorState>, sql: TenantSql, channel: string): Promise<void> {
  if (ctx.state.user !== '') return requireOwner(ctx)
  const user = ctx.cause.principal?.user
  if (user === undefined) throw refuse('FORBIDDEN', { reason: 'A conversation belongs to somebody.' })
  ctx.state.user = user
  await createConversation(sql, { id: ctx.key[0]!, userId: user, channel })
  say(ctx, 'conversation:opened', { user, channel })
}

/** A person of the tenant, by a role that may speak for it; gives back who it is. */
export function requireStaff(ctx: Context<SupervisorState>): string {
  const principal = ctx.cause.principal
  if (principal === null || !isStaff(principal.roles)) throw refuse('FORBIDDEN', { needs: 'operator' })
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  return principal.user
}

export function isStaff(roles: readonly string[]): boolean {
  return roles.some((role) => STAFF.includes(role))
}

/** The person whose conversation it is, or staff of the tenant. */
export function requireOwner(ctx: Context<SupervisorState>): void {
  const principal = ctx.cause.principal
  if (ctx.state.user === '') throw refuse('NOT_FOUND', { conversation: ctx.key[0] })
  if (principal === null || principal.user === ctx.state.user || isStaff(principal.roles)) return
  throw refuse('FORBIDDEN', { reason: 'This conversation belongs to somebody else.' })
}
