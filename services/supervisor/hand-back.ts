import type { Context } from '#shared/actor/definition.ts'
import { moveControl } from './control.ts'
import { ownerIsBack } from './owner-watch.ts'
import type { Alive } from './owner-watch.ts'
import type { SupervisorState } from './state.ts'

/** The owner has done nothing, or has been away, for longer than the tenant allows: agents answer again. */
export async function handBack(ctx: Context<SupervisorState>, reason: 'idle' | 'offline'): Promise<void> {
  if (ctx.state.mode !== 'human') return
  await moveControl(ctx, await ctx.sql(), {
    owner: ctx.state.current ?? '',
    mode: 'auto',
    reason: `${ctx.state.owner} is ${reason}`,
  })
}

/** The owner was away for as long as the tenant allows. */
export async function ownerIsAway(ctx: Context<SupervisorState>, alive: Alive): Promise<void> {
  if (!ownerIsBack(ctx, alive)) await handBack(ctx, 'offline')
}
