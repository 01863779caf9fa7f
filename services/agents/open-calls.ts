import type { Context } from '#shared/actor/definition.ts'
import { say } from '#shared/contracts/say.ts'
import { effectsOfRun } from '#shared/db/repositories/effects.ts'
import type { AgentState } from './agent-state.ts'

/**
 * Closes in the log what a run has left open that will not say anything more: it did not listen to a stop, or was given
 * up. Of a call that it had begun and not settled nobody knows whether it happens: the runtime has put it down as `unknown`,
 * and that is what is said of it.
 */
export async function closeCalls(
  ctx: Context<AgentState>,
  run: string,
  { turnId, runId }: { readonly turnId: string; readonly runId: string },
): Promise<void> {
  for (const effect of await effectsOfRun(await ctx.sql(), run)) {
    if (effect.status !== 'unknown') continue
    const callId = `${runId}-${effect.id.slice(effect.id.lastIndexOf('/') + 1)}`
    const ms = Math.max(0, ctx.now - effect.intendedAt)
    say(ctx, 'tool:returned', { turnId, runId, callId, tool: effect.tool, status: 'unknown', result: null, ms })
  }
}
