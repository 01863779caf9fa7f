import type { Context } from '#shared/actor/definition.ts'
import { RunInput } from '#shared/contracts/agent.ts'
import type { SendReceipt } from '#shared/contracts/client.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { hasCheckpoint, runByKey } from '#shared/db/repositories/runs.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import { encodeKey } from '#shared/wire/names.ts'
import { ownMessage, requireIdle } from './branch.ts'
import type { SupervisorState } from './state.ts'
import { newTurn, nextTurn } from './turns.ts'

/**
 * Answers a message once more from a checkpoint of an earlier run: a new run, as a new turn on a branch beside that
 * run's answer. What the tools said before the checkpoint stands in it; what they are asked after it is asked anew.
 */
export async function fork(
  ctx: Context<SupervisorState>,
  { runId, checkpointId }: { readonly runId: string; readonly checkpointId: string },
): Promise<SendReceipt> {
  requireStaff(ctx, 'Forking runs is')
  requireIdle(ctx)
  const sql = await ctx.sql()
  const key = [ctx.key[0]!, runId]
  const row = await runByKey(sql, 'run', encodeKey(key))
  if (row === null) throw refuse('NOT_FOUND', { run: runId })
  const thread = key.join('/')
  if (!(await hasCheckpoint(sql, thread, checkpointId))) throw refuse('NOT_FOUND', { checkpoint: checkpointId })
  const { messageId, agent } = RunInput.parse(decodeEnvelope(row.envelope).payload)
  const question = await ownMessage(ctx, sql, messageId)
  const turn = newTurn(ctx, { text: question.content, wanted: agent, parentId: question.parentId })
  turn.messageId = question.id
  turn.branch = { kind: 'fork', leafBefore: ctx.state.lastMessageId }
  turn.from = { thread, checkpointId }
  ctx.state.turns.push(turn)
  await nextTurn(ctx, sql)
  return { messageId: question.id, turnId: turn.turnId, status: 'accepted' }
}
