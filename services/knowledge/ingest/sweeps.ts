import type { ChildEnd } from '#shared/actor/definition.ts'
import { Sweep } from '#shared/contracts/ingestion.ts'
import type { Ctx } from './state.ts'

/** Searches that began before something was hidden have ended by then. */
const SWEEP_AFTER_MS = 1_000
/** After a sweep that failed. */
const SWEEP_AGAIN_MS = 60_000

/** What is hidden is to be removed: through a durable timer, so that a crash in between changes nothing. */
export function sweepSoon(ctx: Ctx, afterMs = SWEEP_AFTER_MS): void {
  if (ctx.state.sweeping) ctx.state.sweepAgain = true
  else ctx.remind('sweep', ctx.now + afterMs)
}

export function sweep(ctx: Ctx): void {
  if (ctx.state.sweeping) return
  ctx.state.sweeping = true
  ctx.state.sweepAgain = false
  ctx.spawn(Sweep, ['main', ctx.newId()], {}, { fresh: true })
}

export function sweepEnded(ctx: Ctx, child: ChildEnd): void {
  ctx.state.sweeping = false
  if (child.state !== 'done') sweepSoon(ctx, SWEEP_AGAIN_MS)
  else if (ctx.state.sweepAgain) sweepSoon(ctx)
}
