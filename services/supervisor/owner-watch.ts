import type { z } from 'zod'
import type { Context } from '#shared/actor/definition.ts'
import type { ControlSettings } from '#shared/contracts/control.ts'
import type { Seat } from '#shared/contracts/supervisor.ts'
import { readSettings } from './control-settings.ts'
import { requireOperator } from './conversation.ts'
import type { SeatOf, SupervisorState } from './state.ts'

type Ctx = Context<SupervisorState>
/** Whether a node seems to be alive. */
export type Alive = (node: string) => boolean

/** Seats remembered of one conversation; the oldest is forgotten first (I11). */
const MAX_SEATS = 50
/** How often the gateways of an owner's seats are looked for at most, and at least. One that was killed tells nobody who has left. */
const OWNER_LOOK_MS = 10_000
const OWNER_LOOK_LEAST_MS = 500

/**
 * Arms the timers that hand a conversation back: of an owner who does nothing for a while, and of one who was here and is
 * away. An owner who never was here (who took it over by REST) can only be idle. Disarms them for agents.
 */
export function watchOwner(ctx: Ctx, settings: ControlSettings['control']): void {
  back(ctx)
  if (ctx.state.mode === 'human') {
    ctx.remind('ownerIdle', ctx.now + settings.idleMs)
    if (seatsOfOwner(ctx).length > 0) lookSoon(ctx, settings)
  } else {
    ctx.forget('ownerIdle')
    ctx.forget('ownerLook')
  }
}

/** A connection of a person of the tenant opened the conversation, or left it. */
export async function seat(ctx: Ctx, { seat: name, here, node }: z.infer<typeof Seat>): Promise<void> {
  const user = requireOperator(ctx)
  const { seats } = ctx.state
  // Gone and come again: the newest are last.
  delete seats[name]
  if (here) seats[name] = { user, node: node ?? '' }
  for (const oldest of Object.keys(seats).slice(0, -MAX_SEATS)) delete seats[oldest]
  if (ctx.state.mode !== 'human' || ctx.state.owner !== user) return
  const settings = (await readSettings(await ctx.sql())).control
  if (seatsOfOwner(ctx).length === 0) return away(ctx, settings)
  back(ctx)
  lookSoon(ctx, settings)
}

/** An owner all of whose seats were on gateways that are gone is away; one whose gateway is heard again was not. */
export async function lookForOwner(ctx: Ctx, alive: Alive): Promise<void> {
  if (ctx.state.mode !== 'human') return
  const seats = seatsOfOwner(ctx)
  // Those who have left by themselves are waited for already.
  if (seats.length === 0) return
  const settings = (await readSettings(await ctx.sql())).control
  if (seats.some((one) => isHere(one, alive))) back(ctx)
  else if (ctx.state.ownerAway !== true) away(ctx, settings)
  lookSoon(ctx, settings)
}

/** Whether the owner has the conversation before their eyes after all; otherwise their seats are forgotten. */
export function ownerIsBack(ctx: Ctx, alive: Alive): boolean {
  if (seatsOfOwner(ctx).some((one) => isHere(one, alive))) {
    back(ctx)
    return true
  }
  const { owner, seats } = ctx.state
  for (const [name, { user }] of Object.entries(seats)) if (user === owner) delete seats[name]
  return false
}

function seatsOfOwner({ state: { seats, owner } }: Ctx): SeatOf[] {
  return Object.values(seats).filter(({ user }) => user === owner)
}

/** Of a seat that names no gateway nothing else is known than that it has not left. */
function isHere({ node }: SeatOf, alive: Alive): boolean {
  return node === '' || alive(node)
}

function lookSoon(ctx: Ctx, { offlineMs }: ControlSettings['control']): void {
  ctx.remind('ownerLook', ctx.now + Math.min(OWNER_LOOK_MS, Math.max(OWNER_LOOK_LEAST_MS, offlineMs)))
}

function away(ctx: Ctx, { offlineMs }: ControlSettings['control']): void {
  ctx.state.ownerAway = true
  ctx.remind('ownerAway', ctx.now + offlineMs)
}

function back(ctx: Ctx): void {
  ctx.state.ownerAway = false
  ctx.forget('ownerAway')
}
