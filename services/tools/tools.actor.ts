import { poolActor } from '#shared/actor/definition.ts'
import type { PoolDefinition } from '#shared/actor/definition.ts'
import { Tool } from '#shared/contracts/tool.ts'
import { callTool } from './call-tool.ts'
import type { ToolParts } from './call-tool.ts'

/** Calls wait for others most of the time. */
const CONCURRENCY = 128
const QUEUE = 1_024

/** Stateless: whether a call may be made again is the ledger's question, in the run that makes it (I3). */
export function toolPool(parts: ToolParts): PoolDefinition {
  return poolActor(Tool, {
    concurrency: CONCURRENCY,
    queue: QUEUE,
    on: {
      call: ({ tenant, cause, signal, log, reach }, call) =>
        callTool(parts, { tenant, principal: cause.principal, signal, log, reach }, call),
    },
  })
}
