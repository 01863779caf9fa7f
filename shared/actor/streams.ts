import type { StreamSpec } from '#shared/transport/port.ts'
import type { Limits } from './limits.ts'

export const COMMANDS = 'CMD'
export const EVENTS = 'EVT'
/** Every event of every tenant. */
export const ANY_EVENT = 't.*.ev.>'
export const INBOUND = 'IN'
export const OUTBOUND = 'OUT'

export interface StreamOptions {
  /** How long the log of events is kept. */
  readonly eventsMs: number
  readonly replicas: number
  /** Memory instead of files; for tests. */
  readonly memory: boolean
}

export const DEFAULT_STREAMS: StreamOptions = { eventsMs: 30 * 86_400_000, replicas: 1, memory: false }

/** Work never ages out and a full stream refuses the new (I13); the story ages and refuses nobody. */
export function streamSpecs(limits: Limits, options: StreamOptions): readonly StreamSpec[] {
  const { replicas, memory } = options
  const work = { retention: 'work', duplicateWindowMs: DUPLICATE_WINDOW_MS, replicas, memory } as const
  return [
    { name: COMMANDS, subjects: ['t.*.cmd.>'], ...work, maxMessages: limits.commands, maxPerSubject: limits.mailbox },
    {
      name: EVENTS,
      subjects: [ANY_EVENT],
      retention: 'age',
      maxAgeMs: options.eventsMs,
      duplicateWindowMs: DUPLICATE_WINDOW_MS,
      live: true,
      replicas,
      memory,
    },
    { name: INBOUND, subjects: ['t.*.in.>'], ...work, maxMessages: limits.commands },
    { name: OUTBOUND, subjects: ['t.*.out.>'], ...work, maxMessages: limits.commands },
  ]
}

/** Beyond it the epoch (events) and the processed ids (commands) tell a second relay of the same row. */
export const DUPLICATE_WINDOW_MS = 120_000
