import { z } from 'zod'
import type { Audience } from '#shared/wire/subjects.ts'

/**
 * Every event of the log: `noun:verb`, who may hear it, one sentence, one payload. Console, CLI, bridges, tests and logs
 * read this map. The scope of all of them is the conversation.
 */
export interface EventSpec<Payload extends z.ZodType = z.ZodType> {
  readonly audience: Audience
  readonly sentence: string
  readonly payload: Payload
}

const id = z.string().min(1).max(120)
const ms = z.number().nonnegative()

export const Citation = z.object({
  source: z.string(),
  quote: z.string(),
  start: z.number().int().optional(),
  end: z.number().int().optional(),
})

export const Usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedTokens: z.number(),
  costMicros: z.number(),
})
export type Usage = z.infer<typeof Usage>

/** One finished message of a conversation, as stored and as announced. Upsert by (id, revision). */
export const MessageFact = z.object({
  id,
  /** The id that the client gave its own message; empty on others. */
  clientId: z.string(),
  parentId: id.nullable(),
  role: z.enum(['user', 'assistant', 'system']),
  /** User id, agent name, or `system`. */
  author: z.string(),
  text: z.string(),
  citations: z.array(Citation),
  /** Every sentence is a quoted span or a tool result. */
  extractive: z.boolean(),
  /** Structured output of the agent, when it has an output schema. */
  data: z.unknown(),
  revision: z.number().int().positive(),
  at: ms,
})
export type MessageFact = z.infer<typeof MessageFact>

/** What a stop found (I8): by name, what stopped, what could not be stopped, what had happened already. */
export const StopReport = z.object({
  stopped: z.array(z.string()),
  couldNot: z.array(z.string()),
  happened: z.array(z.string()),
})
export type StopReport = z.infer<typeof StopReport>

export const Failure = z.object({ code: z.string(), message: z.string(), action: z.string() })
export type Failure = z.infer<typeof Failure>

export const TurnOutcome = z.enum(['answered', 'stopped', 'failed', 'refused', 'escalated'])
export type TurnOutcome = z.infer<typeof TurnOutcome>

export const ActorState = z.enum(['awake', 'asleep', 'running', 'waiting', 'restarting', 'ended', 'crashed'])

export const EVENTS = {
  'conversation:opened': spec('pub', 'A conversation was opened.', z.object({ user: z.string(), channel: z.string() })),
  'message:received': spec('pub', 'A message was stored and accepted.', MessageFact),
  'turn:started': spec('pub', 'Work on a message began.', z.object({ turnId: id, messageId: id })),
  'turn:ended': spec(
    'pub',
    'Work on a message is over.',
    z.object({ turnId: id, outcome: TurnOutcome, error: Failure.nullable(), report: StopReport.nullable(), ms }),
  ),
  'agent:speaking': spec(
    'pub',
    'An agent took the turn and will speak in this message.',
    z.object({ turnId: id, runId: id, agent: z.string(), title: z.string(), messageId: id }),
  ),
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
  'text:delta': spec(
    'pub',
    'Text to be placed at an offset (UTF-16 code units) of a message; what stood after the offset is cut.',
    z.object({ messageId: id, offset: z.number().int().nonnegative(), text: z.string() }),
  ),
  'message:completed': spec('pub', 'A message is finished; this is its text for good.', MessageFact),
  'message:retracted': spec(
    'pub',
    'A message that was being streamed is withdrawn.',
    z.object({ messageId: id, reason: z.string() }),
  ),
  'human:offered': spec('pub', 'The customer was offered a person.', z.object({ turnId: id, reason: z.string() })),
  'control:changed': spec(
    'pub',
    'The voice of the conversation has a new owner.',
    z.object({ owner: z.string(), mode: z.enum(['auto', 'human']), control: z.number().int(), reason: z.string() }),
  ),
  'route:decided': spec(
    'ops',
    'The supervisor chose an agent, or found that none fits.',
    z.object({ turnId: id, agent: z.string().nullable(), reason: z.string(), ms }),
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
      status: z.enum(['done', 'failed', 'unknown', 'denied']),
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
  'actor:changed': spec(
    'ops',
    'An actor woke, slept, ran, crashed or ended.',
    z.object({
      kind: z.string(),
      key: z.string(),
      state: ActorState,
      mailbox: z.number().int(),
      node: z.string(),
      reason: z.string(),
    }),
  ),
  'letter:buried': spec(
    'ops',
    'A message that could not be handled is a dead letter now.',
    z.object({ letterId: id, kind: z.string(), key: z.string(), type: z.string(), code: z.string() }),
  ),
  'activation:opened': spec(
    'sys',
    'A new activation took over an actor that had spoken before.',
    z.object({ node: z.string() }),
  ),
} as const satisfies Record<string, EventSpec>

export type EventType = keyof typeof EVENTS
export type EventPayload<Type extends EventType> = z.infer<(typeof EVENTS)[Type]['payload']>

function spec<Payload extends z.ZodType>(audience: Audience, sentence: string, payload: Payload): EventSpec<Payload> {
  return { audience, sentence, payload }
}
