import type { ConsumerSpec, StreamSpec } from '#shared/transport/port.ts'
import { filters } from '#shared/wire/subjects.ts'
import type { Limits } from './limits.ts'

export const COMMANDS = 'CMD'
export const EVENTS = 'EVT'
/** Every event of every tenant. */
export const ANY_EVENT = 't.*.ev.>'
export const INBOUND = 'IN'
export const OUTBOUND = 'OUT'
/** What the broker says of messages of IN and OUT that were delivered in vain (`undelivered.ts`). */
export const UNDELIVERED = 'UNDELIVERED'
/** Deliveries of one message to a bridge before it is a dead letter. */
export const BRIDGE_MAX_DELIVERIES = 20
/** How long a bridge may take before a message is delivered to it again. */
export const BRIDGE_ACK_WAIT_MS = 30_000
export const BRIDGE_UNACKNOWLEDGED = 256

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
    { name: EVENTS, subjects: [ANY_EVENT], ...logSpec(options) },
    { name: INBOUND, subjects: ['t.*.in.>'], ...work, maxMessages: limits.commands },
    { name: OUTBOUND, subjects: ['t.*.out.>'], ...work, maxMessages: limits.commands },
    { name: UNDELIVERED, subjects: [], exhaustedOf: [INBOUND, OUTBOUND], ...work, maxMessages: limits.commands },
  ]
}

/** The stream of a tenant that has a log of its own. */
export function ownStream(tenant: string): string {
  return `${EVENTS}-${tenant}`
}

export function ownLogSpec(tenant: string, options: StreamOptions): StreamSpec {
  return { ...logSpec(options), name: ownStream(tenant), subjects: [filters.ownOfTenant(tenant)] }
}

function logSpec({ eventsMs, replicas, memory }: StreamOptions): Omit<StreamSpec, 'name' | 'subjects'> {
  return { retention: 'age', maxAgeMs: eventsMs, duplicateWindowMs: DUPLICATE_WINDOW_MS, live: true, replicas, memory }
}

/** A consumer of IN or OUT: what it does not acknowledge comes again, a bounded number of times (I13). */
export function bridgeConsumer(
  stream: typeof INBOUND | typeof OUTBOUND,
  durable: string,
  filter: string,
  ackWaitMs = BRIDGE_ACK_WAIT_MS,
): ConsumerSpec {
  const bounds = { maxUnacknowledged: BRIDGE_UNACKNOWLEDGED, maxDeliveries: BRIDGE_MAX_DELIVERIES }
  return { stream, durable, filter, ackWaitMs, ...bounds }
}

/** Beyond it the epoch (events) and the processed ids (commands) tell a second relay of the same row. */
export const DUPLICATE_WINDOW_MS = 120_000
