import type { Context } from '#shared/actor/definition.ts'
import { Agent } from '#shared/contracts/agent.ts'
import { publicFailureOf } from '#shared/contracts/failure.ts'
import type { SupervisorState } from './state.ts'
import { endTurn, nextTurn } from './turns.ts'

type Ctx = Context<SupervisorState>

/**
 * Longest that a turn may be at work: more than a run is given, so that the run's own end comes first. What is left are
 * turns whose agent will never answer, because its prompt is a dead letter or its end was lost.
 */
export const TURN_SILENT_MS = 11 * 60_000
export const WATCHDOG = 'watchdog'

/**
 * One reminder while turns are at work: it looks again when it finds one that is younger. None when all is quiet, or each
 * conversation would be woken minutes after it was used, to find nothing.
 */
export function watchTurn(ctx: Ctx, silentMs: number): void {
  const phase = ctx.state.turns[0]?.phase
  if (phase !== 'routing' && phase !== 'running') {
    if (ctx.state.watchAt === 0) return
    ctx.state.watchAt = 0
    return ctx.forget(WATCHDOG)
  }
  if (ctx.state.watchAt > ctx.now) return
  ctx.state.watchAt = ctx.now + silentMs
  ctx.remind(WATCHDOG, ctx.state.watchAt)
}

/** Ends the turn at work if nobody else will. */
export async function endSilentTurn(ctx: Ctx, silentMs: number): Promise<void> {
  ctx.state.watchAt = 0
  const [turn] = ctx.state.turns
  if (turn === undefined || (turn.phase !== 'routing' && turn.phase !== 'running')) return
  const due = turn.startedAt + silentMs
  if (due > ctx.now) {
    ctx.state.watchAt = due
    return ctx.remind(WATCHDOG, due)
  }
  const { turnId, agent } = turn
  // Should it be at work after all, it is not for this conversation any more.
  if (agent !== null) ctx.tell(Agent, [ctx.key[0]!, agent], 'cancel', { turnId, reason: 'it was silent for too long' })
  const error = publicFailureOf({ code: 'AGENT_SILENT', details: {} })
  endTurn(ctx, turn, 'failed', error, { stopped: [], couldNot: [`turn ${turnId}`], happened: [] })
  await nextTurn(ctx, await ctx.sql())
}
