import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { say } from '#shared/contracts/say.ts'
import type { Assign, Read } from '#shared/contracts/supervisor.ts'
import { assignConversation } from '#shared/db/repositories/conversations.ts'
import { markRead } from '#shared/db/repositories/read-marks.ts'
import { teamMembers } from '#shared/db/repositories/teams.ts'
import { requireOwner, requireOperator } from './conversation.ts'
import type { SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>

/** Gives the conversation to a person or a team to look after, or to nobody. Who has the voice stays as it is. */
export async function assign(ctx: Ctx, { to }: z.infer<typeof Assign>): Promise<SupervisorState['assigned']> {
  const by = requireOperator(ctx)
  const sql = await ctx.sql()
  if (to?.kind === 'team' && (await teamMembers(sql, to.id)) === null) throw refuse('NOT_FOUND', { team: to.id })
  const assigned = { user: to?.kind === 'user' ? to.id : null, team: to?.kind === 'team' ? to.id : null }
  const before = ctx.state.assigned
  if (before.user === assigned.user && before.team === assigned.team) return assigned
  await assignConversation(sql, ctx.key[0]!, assigned)
  ctx.state.assigned = assigned
  say(ctx, 'assignment:changed', { ...assigned, by })
  return assigned
}

/** Somebody has read up to a message: the customer, or a person of the tenant. A mark only moves forward. */
export async function read(ctx: Ctx, { messageId }: z.infer<typeof Read>): Promise<void> {
  requireOwner(ctx)
  const user = ctx.cause.principal?.user
  if (user === undefined) return
  if (await markRead(await ctx.sql(), ctx.key[0]!, user, messageId, ctx.now))
    say(ctx, 'read:marked', { user, messageId, at: ctx.now })
}
