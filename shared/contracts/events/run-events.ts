import { z } from 'zod'
import { Failure, id, ms, spec } from './event-spec.ts'

export const Usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedTokens: z.number(),
  costMicros: z.number(),
})
export type Usage = z.infer<typeof Usage>

export const RUN_EVENTS = {
  'run:progress': spec(
    'pub',
    'The run reached a step.',
    z.object({
      turnId: id,
      runId: id,
      step: z.enum(['plan', 'retrieve', 'act', 'verify', 'respond']),
      label: z.string(),
    }),
  ),
  'run:started': spec(
    'ops',
    'A run of an agent began, or was resumed by a new attempt.',
    z.object({ turnId: id, runId: id, agent: z.string(), attempt: z.number().int(), model: z.string() }),
  ),
  'run:ended': spec(
    'ops',
    'A run is over.',
    z.object({
      turnId: id,
      runId: id,
      agent: z.string(),
      outcome: z.string(),
      steps: z.number().int(),
      usage: Usage,
      error: Failure.nullable(),
      ms,
    }),
  ),
  'tool:called': spec(
    'ops',
    'A tool call was allowed and is being made.',
    z.object({ turnId: id, runId: id, callId: id, tool: z.string(), args: z.record(z.string(), z.unknown()) }),
  ),
  'tool:returned': spec(
    'ops',
    'A tool call ended.',
    z.object({
      turnId: id,
      runId: id,
      callId: id,
      tool: z.string(),
      /** `answered`: a person answered in place of the tool. */
      status: z.enum(['done', 'failed', 'unknown', 'denied', 'stopped', 'answered']),
      result: z.unknown(),
      ms,
    }),
  ),
  'guardrail:checked': spec(
    'ops',
    'A guardrail looked at something before it went on.',
    z.object({
      turnId: id,
      runId: z.string(),
      stage: z.enum(['input', 'tool_call', 'tool_result', 'output']),
      guardrail: z.string(),
      verdict: z.enum(['pass', 'rewrite', 'block']),
      reason: z.string(),
      ms,
    }),
  ),
} as const
