import type { PoolContext, PoolHandlers } from '#shared/actor/definition.ts'
import type { Directory } from '#shared/contracts/directory.ts'
import { Checkpoints } from '#shared/db/checkpoints.ts'
import type { Database } from '#shared/db/database.ts'
import { runByLastPart } from '#shared/db/repositories/runs.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { pastState, pastStates } from '#shared/graph/look-back.ts'
import { decodeKey, encodeName } from '#shared/wire/names.ts'

type Handlers = Pick<PoolHandlers<(typeof Directory)['messages']>, 'checkpoints' | 'checkpoint'>

/** Checkpoints of one run that are listed at most; a run keeps fewer. */
const LISTED = 100

/** Looking back at runs: for staff, because a checkpoint holds what tools and colleagues said to the agent. */
export function checkpointHandlers(database: Database): Handlers {
  const checkpoints = new Checkpoints(database)
  const threadOf = async (ctx: PoolContext, runId: string): Promise<string> => {
    requireStaff(ctx, 'Checkpoints are')
    const row = await database.tenant(ctx.tenant, (sql) => runByLastPart(sql, 'run', encodeName(runId)))
    if (row === null) throw refuse('NOT_FOUND', { run: runId })
    return decodeKey(row.key).join('/')
  }
  return {
    checkpoints: async (ctx, { runId }) => {
      const states = await pastStates(checkpoints, ctx.tenant, await threadOf(ctx, runId), LISTED)
      return {
        checkpoints: states.map(({ messages, ...state }) => ({ ...state, messages: messages.length })),
      }
    },
    checkpoint: async (ctx, { runId, checkpointId }) => {
      const state = await pastState(checkpoints, ctx.tenant, await threadOf(ctx, runId), checkpointId)
      if (state === null) throw refuse('NOT_FOUND', { checkpoint: checkpointId })
      return { ...state, messages: state.messages.map((message) => ({ ...message, calls: [...message.calls] })) }
    },
  }
}
