import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { ControlSettings } from '#shared/contracts/control.ts'
import type { Seat } from '#shared/contracts/supervisor.ts'
import { readSettings } from './control-settings.ts'
import { requireStaff } from './conversation.ts'
import type { SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>

/** Seats remembered of one conversation; the oldest is forgotten first (I11). */
const MAX_SEATS = 50

/**
 * Arms the timers that hand a conversation back: of an owner who does nothing for a while, and of one who was here and is
 * away. An owner who never was here (who took it over by REST) can only be idle. Disarms them for agents.
 */
export function watchOwner(ctx: Ctx, { idleMs }: ControlSettings['control']): void {
  ctx.forget('ownerAway')
  if (ctx.state.mode === 'human') ctx.remind('ownerIdle', ctx.now + idleMs)
  else ctx.forget('ownerIdle')
}

/** A connection of a person of the tenant opened the conversation, or left it. */
export async function seat(ctx: Ctx, { seat: name, here }: z.infer<typeof Seat>): Promise<void> {
  const user = requireStaff(ctx)
  const { seats } = ctx.state
  // Gone and come again: the newest are last.
  delete seats[name]
  if (here) seats[name] = user
  for (const oldest of Object.keys(seats).slice(0, -MAX_SEATS)) delete seats[oldest]
  if (ctx.state.mode !== 'human' || ctx.state.owner !== user) return
  if (Object.values(seats).includes(user)) return ctx.forget('ownerAway')
  const { offlineMs } = (await readSettings(await ctx.sql())).control
  ctx.remind('ownerAway', ctx.now + offlineMs)
}
