import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'

/** A tool, any replica; name: the tool's name in this tenant. The user's token is injected there and never seen by a model. */
export const ToolCall = z.object({
  tool: z.string(),
  args: z.record(z.string(), z.unknown()),
  callId: z.string(),
  /** The same for every try of this call: passed on where the tool takes one. */
  idempotencyKey: z.string(),
  conversationId: z.string(),
})

export const ToolResult = z.object({
  /** What the tool answered, capped. */
  result: z.unknown(),
  /** The result as a sentence, by the tool's output template; empty when it has none. */
  text: z.string(),
  /** True: the text came from outside and taints the turn (I14). */
  tainted: z.boolean(),
  ms: z.number(),
})
export type ToolResult = z.infer<typeof ToolResult>

export const Tool = pool('tool', {
  call: ask(ToolCall, ToolResult, {
    within: '30s',
    fails: ['TOOL_DENIED', 'TOOL_FAILED', 'TOOL_ARGS', 'ADDRESS_REFUSED', 'NOT_FOUND', 'TOO_LARGE'],
  }),
})
