import type { LogEntry } from '#shared/contracts/client.ts'
import type { EventPayload, EventType } from '#shared/contracts/event-map.ts'

/** A log entry whose type this client knows; `switch (entry.type)` gives the payload its shape. */
export type KnownEntry = {
  [Type in EventType]: Omit<LogEntry, 'type' | 'payload'> & {
    readonly type: Type
    readonly payload: EventPayload<Type>
  }
}[EventType]

export type EntryOf<Type extends EventType> = Extract<KnownEntry, { type: Type }>

/**
 * The events this client folds or shows. A `satisfies` over the event map: leaving one out, or naming one that is gone,
 * does not compile. A plain object, so that the schemas of the event map stay out of the browser's bundle.
 */
const KNOWN = {
  'conversation:opened': true,
  'message:received': true,
  'turn:started': true,
  'turn:ended': true,
  'branch:changed': true,
  'message:steered': true,
  'message:undelivered': true,
  'whisper:delivered': true,
  'whisper:missed': true,
  'agent:speaking': true,
  'run:progress': true,
  'text:delta': true,
  'message:completed': true,
  'message:retracted': true,
  'message:flagged': true,
  'human:offered': true,
  'control:changed': true,
  'control:briefed': true,
  'offer:changed': true,
  'note:added': true,
  'draft:delta': true,
  'draft:completed': true,
  'draft:decided': true,
  'assignment:changed': true,
  'read:marked': true,
  'route:decided': true,
  'run:started': true,
  'run:ended': true,
  'tool:called': true,
  'tool:returned': true,
  'guardrail:checked': true,
  'budget:warned': true,
  'budget:spent': true,
  'budget:raised': true,
  'loop:cut': true,
  'turn:transferred': true,
  'actor:changed': true,
  'letter:buried': true,
  'log:moved': true,
  'review:changed': true,
  'run:parked': true,
  'document:progress': true,
  'document:removed': true,
  'document:swept': true,
  'answer:curated': true,
  'index:built': true,
  'activation:opened': true,
} satisfies Record<EventType, true>

export const KNOWN_TYPES = Object.keys(KNOWN) as readonly EventType[]

/** Null for an event of a newer server, or one without a payload: it is ignored, never an error. */
export function knownEntry(entry: LogEntry): KnownEntry | null {
  if (!Object.hasOwn(KNOWN, entry.type)) return null
  if (typeof entry.payload !== 'object' || entry.payload === null) return null
  return entry as KnownEntry
}
