import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { ControlReceipt, ControlRequest } from '#shared/contracts/control.ts'
import { moveControl } from './control.ts'
import { requireOperator } from './conversation.ts'
import { keepLearned } from './notes.ts'
import { acceptOffer, declineOffer, offerVoice } from './offers.ts'
import type { SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>
type Request<Action extends ControlRequest['action']> = Extract<ControlRequest, { action: Action }>

/** Moves the voice on behalf of a person of the tenant. Doing twice what is so already is harmless. */
export async function control(ctx: Ctx, request: ControlRequest): Promise<ControlReceipt> {
  const user = requireOperator(ctx)
  const sql = await ctx.sql()
  switch (request.action) {
    case 'take':
      return await take(ctx, sql, user, request)
    case 'offer':
      requireVoice(ctx, user)
      return await offerVoice(ctx, sql, user, request)
    case 'accept':
      return await acceptOffer(ctx, sql, user)
    case 'decline':
      return await declineOffer(ctx, sql, user, request.reason)
    case 'release':
      return await release(ctx, sql, user, request)
    case 'supervise':
      return await supervise(ctx, sql, user, request)
  }
}

/** Somebody has accepted a hand-off at the desk. Whoever has taken the conversation meanwhile keeps it. */
export async function takeForReview(ctx: Ctx, user: string): Promise<void> {
  if (ctx.state.mode === 'human') return
  await moveControl(ctx, await ctx.sql(), { owner: user, mode: 'human', reason: `accepted by ${user}` })
}

async function take(ctx: Ctx, sql: TenantSql, user: string, request: Request<'take'>): Promise<ControlReceipt> {
  const { mode, owner, control: epoch } = ctx.state
  if (mode === 'human' && owner === user) return { owner, mode, control: epoch }
  if (request.expected !== null && request.expected !== epoch)
    throw refuse('STALE_CONTROL', { expected: request.expected, control: epoch, owner })
  if (mode === 'human' && !(request.force && isAdmin(ctx))) throw refuse('CONTROL_TAKEN', { owner, control: epoch })
  return await moveControl(ctx, sql, { owner: user, mode: 'human', reason: request.reason || `taken by ${user}` })
}

async function release(ctx: Ctx, sql: TenantSql, user: string, request: Request<'release'>): Promise<ControlReceipt> {
  const { mode, owner, control: epoch } = ctx.state
  if (mode !== 'human') return { owner, mode, control: epoch }
  requireVoice(ctx, user)
  if (request.learned !== '') await keepLearned(ctx, sql, user, request.learned)
  const reason = request.reason || `handed back by ${user}`
  return await moveControl(ctx, sql, { owner: ctx.state.current ?? '', mode: 'auto', reason })
}

async function supervise(
  ctx: Ctx,
  sql: TenantSql,
  user: string,
  { on, reason }: Request<'supervise'>,
): Promise<ControlReceipt> {
  requireVoice(ctx, user)
  const { mode, owner, control: epoch } = ctx.state
  const wanted = on ? 'supervised' : 'auto'
  if (mode === wanted) return { owner, mode, control: epoch }
  return await moveControl(ctx, sql, {
    owner: ctx.state.current ?? '',
    mode: wanted,
    reason: reason || `${user} ${on ? 'looks over' : 'no longer looks over'} the answers`,
  })
}

/** Where a person has the voice it is theirs to pass on, or an administrator's. */
function requireVoice(ctx: Ctx, user: string): void {
  const { mode, owner, control: epoch } = ctx.state
  if (mode === 'human' && owner !== user && !isAdmin(ctx)) throw refuse('CONTROL_TAKEN', { owner, control: epoch })
}

function isAdmin(ctx: Ctx): boolean {
  return ctx.cause.principal?.roles.includes('admin') === true
}
