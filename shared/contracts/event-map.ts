import type { z } from 'zod'
import { BUDGET_EVENTS } from './events/budget-events.ts'
import { CONTROL_EVENTS } from './events/control-events.ts'
import type { EventSpec } from './events/event-spec.ts'
import { KNOWLEDGE_EVENTS } from './events/knowledge-events.ts'
import { MESSAGE_EVENTS } from './events/message-events.ts'
import { REVIEW_EVENTS } from './events/review-events.ts'
import { RUN_EVENTS } from './events/run-events.ts'
import { RUNTIME_EVENTS } from './events/runtime-events.ts'
import { STEER_EVENTS } from './events/steer-events.ts'
import { TURN_EVENTS } from './events/turn-events.ts'

export { Failure } from './events/event-spec.ts'
export { DocumentFailure, DocumentState } from './events/knowledge-events.ts'
export { Citation, MessageFact } from './events/message-events.ts'
export { DecisionMade, ReviewItem, ReviewKind, ReviewState } from './events/review-events.ts'
export { Usage } from './events/run-events.ts'
export { ActorState } from './events/runtime-events.ts'
export { StopReport, TurnOutcome } from './events/turn-events.ts'

/**
 * Every event of the log: `noun:verb`, who may hear it, one sentence, one payload. Console, CLI, bridges, tests and logs
 * read this map. Their scope is the conversation, but for those of knowledge, which have one of their own.
 */
export const EVENTS = {
  ...MESSAGE_EVENTS,
  ...TURN_EVENTS,
  ...STEER_EVENTS,
  ...RUN_EVENTS,
  ...CONTROL_EVENTS,
  ...BUDGET_EVENTS,
  ...REVIEW_EVENTS,
  ...KNOWLEDGE_EVENTS,
  ...RUNTIME_EVENTS,
} as const satisfies Record<string, EventSpec>

export type EventType = keyof typeof EVENTS
export type EventPayload<Type extends EventType> = z.infer<(typeof EVENTS)[Type]['payload']>
