import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import type { ToolCall, ToolResult } from '#shared/contracts/tool.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { callBuiltin } from './builtin-tools.ts'
import { checkArgs } from './check-args.ts'
import { toolFailure } from './failure.ts'
import { callHttpTool } from './http-tool.ts'
import type { HttpParts } from './http-tool.ts'
import { renderOutput } from './render-output.ts'
import type { ToolSource } from './tool-row.ts'

export interface ToolParts extends HttpParts {
  readonly tools: ToolSource
}

export interface Caller {
  readonly tenant: string
  readonly principal: Principal | null
  readonly signal: AbortSignal
  readonly log: Logger
  /** Speaks on behalf of the principal. */
  readonly reach: Reach
}

/** Looks the tool up, checks the arguments, does it. Throws coded errors; `details.happened` says what the ledger needs. */
export async function callTool(parts: ToolParts, caller: Caller, call: z.infer<typeof ToolCall>): Promise<ToolResult> {
  const { tenant, principal, signal, log } = caller
  const begun = performance.now()
  const row = await parts.tools.byName(tenant, call.tool)
  if (row === null) throw toolFailure('NOT_FOUND', 'no', `There is no tool ${call.tool}.`, { tool: call.tool })
  signal.throwIfAborted()
  checkArgs(row, call.args)
  if (row.kind === 'builtin') {
    const { result, text, tainted } = await callBuiltin(row, call.args, caller.reach)
    return { result, text, tainted, ms: performance.now() - begun }
  }
  const { args, idempotencyKey } = call
  const result = await callHttpTool(parts, row, { tenant, principal, args, idempotencyKey, signal })
  const ms = performance.now() - begun
  log.debug({ tenant, tool: row.id, call: call.callId, ms }, 'a tool has answered')
  return { result, text: renderOutput(row.outputTemplate, result, args), tainted: !row.trusted, ms }
}
