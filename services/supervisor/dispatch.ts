import type { Context } from '#shared/actor/definition.ts'
import { Agent } from '#shared/contracts/agent.ts'
import type { Said } from '#shared/contracts/agent.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/** Hands the turn to an agent. */
export function dispatch(ctx: Ctx, turn: Turn, agent: string, history: readonly Said[]): void {
  turn.phase = 'running'
  turn.agent = agent
  turn.runId = ctx.newId()
  const { turnId, messageId, answerId, runId, text } = turn
  ctx.tell(
    Agent,
    [ctx.key[0]!, agent],
    'prompt',
    {
      turnId,
      runId,
      messageId,
      answerId,
      text,
      history: [...history],
      ...(turn.budget === undefined ? {} : { budget: turn.budget }),
      ...(turn.handedOver == null ? {} : { handedOver: turn.handedOver }),
      ...(turn.thread == null ? {} : { thread: turn.thread }),
    },
    { fresh: true, principal: turn.principal, taint: turn.taint, control: ctx.state.control },
  )
}
