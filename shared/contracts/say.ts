import type { EmitOptions } from '#shared/actor/definition.ts'
import { EVENTS } from './event-map.ts'
import type { EventPayload, EventType } from './event-map.ts'

/** Whoever speaks in the log: a handler or a run. */
interface Speaker {
  emit(type: string, payload: unknown, options: EmitOptions): void
}

/** Says an event of the map. Its audience is the map's: no caller decides who may hear it (I6). */
export function say<Type extends EventType>(
  ctx: Speaker,
  type: Type,
  payload: EventPayload<Type>,
  options: Omit<EmitOptions, 'audience'> = {},
): void {
  ctx.emit(type, payload, { ...options, audience: EVENTS[type].audience })
}
