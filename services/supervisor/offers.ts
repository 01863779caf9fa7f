import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { ControlReceipt, ControlRequest, Offer } from '#shared/contracts/control.ts'
import { say } from '#shared/contracts/say.ts'
import type { Asked } from '#shared/contracts/supervisor.ts'
import { Team } from '#shared/contracts/team.ts'
import { isTeamMember, teamMembers } from '#shared/db/repositories/teams.ts'
import { moveControl } from './control.ts'
import { readSettings } from './control-settings.ts'
import type { OpenOffer, SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>

/** Offers the voice to a person or a team. Who has it keeps it until somebody accepts; an offer takes the place of one before. */
export async function offerVoice(
  ctx: Ctx,
  sql: TenantSql,
  by: string,
  request: Extract<ControlRequest, { action: 'offer' }>,
): Promise<ControlReceipt> {
  const { to, skills, reason } = request
  if (to.kind === 'team' && (await teamMembers(sql, to.id)) === null) throw refuse('NOT_FOUND', { team: to.id })
  const { mode, owner } = ctx.state
  const back = mode === 'offered' ? (ctx.state.offer?.back ?? 'auto') : mode
  const expiresAt = ctx.now + (request.withinMs ?? (await readSettings(sql)).control.offerMs)
  const offer: OpenOffer = { to, asked: to.kind === 'user' ? to.id : null, by, reason, expiresAt, back, skills }
  const kept = await moveControl(ctx, sql, {
    owner,
    // A person who offers it to another keeps answering: no agent's turn begins.
    mode: back === 'human' ? 'human' : 'offered',
    reason: reason || `offered to ${to.id}`,
    offer,
  })
  ctx.remind('offerOver', expiresAt)
  if (to.kind === 'team') ctx.tell(Team, to.id, 'enqueue', { conversationId: ctx.key[0]!, skills })
  sayOffer(ctx, offer, 'offered', by, reason)
  return kept
}

export async function acceptOffer(ctx: Ctx, sql: TenantSql, user: string): Promise<ControlReceipt> {
  const { mode, owner, control } = ctx.state
  if (mode === 'human' && owner === user) return { owner, mode, control }
  await offerFor(ctx, sql, user)
  return await moveControl(ctx, sql, {
    owner: user,
    mode: 'human',
    reason: `${user} accepted`,
    outcome: 'accepted',
  })
}

/** A person's offer is over with their no; a team asks the next member. */
export async function declineOffer(ctx: Ctx, sql: TenantSql, user: string, reason: string): Promise<ControlReceipt> {
  const offer = await offerFor(ctx, sql, user)
  const { owner, mode, control } = ctx.state
  if (offer.to.kind === 'user') return await endOffer(ctx, sql, 'declined', reason || `${user} declined`)
  ctx.tell(Team, offer.to.id, 'declined', { conversationId: ctx.key[0]!, user })
  if (offer.asked === user) offer.asked = null
  sayOffer(ctx, offer, 'declined', user, reason)
  return { owner, mode, control }
}

/** Nobody accepted in time. */
export async function offerOver(ctx: Ctx): Promise<void> {
  if (ctx.state.offer !== null) await endOffer(ctx, await ctx.sql(), 'expired', 'nobody accepted in time')
}

/** The team asks this member now; null: nobody has room at the moment. */
export function asked(ctx: Ctx, { team, user }: z.infer<typeof Asked>): void {
  const { offer } = ctx.state
  if (offer?.to.kind !== 'team' || offer.to.id !== team || offer.asked === user) return
  offer.asked = user
  sayOffer(ctx, offer, user === null ? 'waiting' : 'asked', '', offer.reason)
}

async function endOffer(
  ctx: Ctx,
  sql: TenantSql,
  outcome: 'declined' | 'expired',
  reason: string,
): Promise<ControlReceipt> {
  const { owner, offer } = ctx.state
  return await moveControl(ctx, sql, { owner, mode: offer?.back ?? 'auto', reason, outcome })
}

async function offerFor(ctx: Ctx, sql: TenantSql, user: string): Promise<OpenOffer> {
  const { offer } = ctx.state
  if (offer === null) throw refuse('NO_OFFER', { conversation: ctx.key[0] })
  const { to } = offer
  const fits = to.kind === 'user' ? to.id === user : await isTeamMember(sql, to.id, user)
  if (!fits) throw refuse('NO_OFFER', { offeredTo: to.id })
  return offer
}

function sayOffer(ctx: Ctx, offer: OpenOffer, outcome: string, by: string, reason: string): void {
  say(ctx, 'offer:changed', { offer: offerOf(offer), outcome, by, reason })
}

/** Without what only the supervisor needs. */
export function offerOf({ to, asked: now, by, reason, expiresAt }: OpenOffer): Offer {
  return { to, asked: now, by, reason, expiresAt }
}
