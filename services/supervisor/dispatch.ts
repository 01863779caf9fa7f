import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { Agent } from '#shared/contracts/agent.ts'
import { agentContext } from './notes.ts'
import { draftsOnly } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { historyBefore } from './turns.ts'

type Ctx = Context<SupervisorState>

/** Hands the turn to an agent, with what people want it to know; `lesson` is about its last try at this very turn. */
export async function dispatch(ctx: Ctx, sql: TenantSql, turn: Turn, agent: string, lesson = ''): Promise<void> {
  turn.phase = 'running'
  turn.agent = agent
  turn.runId = ctx.newId()
  const { turnId, messageId, answerId, runId, text, from, follows } = turn
  const history = await historyBefore(sql, turn)
  const context = [await agentContext(ctx, sql, turnId, agent), lesson].filter((part) => part !== '').join('\n')
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
      history,
      context,
      draft: draftsOnly(ctx.state),
      pending: turn.pending.splice(0),
      ...(from === null ? {} : { from }),
      ...(follows === null ? {} : { follows }),
      ...(turn.budget === undefined ? {} : { budget: turn.budget }),
      ...(turn.handedOver == null ? {} : { handedOver: turn.handedOver }),
      ...(turn.thread == null ? {} : { thread: turn.thread }),
    },
    { fresh: true, principal: turn.principal, taint: turn.taint, control: ctx.state.control },
  )
}
