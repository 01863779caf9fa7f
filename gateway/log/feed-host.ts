import type { EventLog } from '#shared/actor/event-log.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import type { Floors } from '#shared/wire/voiding.ts'
import type { Feed } from './feed.ts'
import type { Gate } from './gate.ts'
import type { LogLife } from './log-life.ts'
import type { Reader } from './reader.ts'

/** What a feed needs of the log reader that owns it. */
export interface FeedHost {
  readonly events: EventLog
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  readonly metrics: Metrics
  readonly lifeOf: (tenant: string) => LogLife
  readonly replays: Gate
  readonly checks: Gate
  readonly floors: (tenant: string, scope: string, sequence: number) => Promise<Floors>
  /** The reader needs a snapshot; `at` is where entries go on after it, null is the tail. */
  restart(reader: Reader, cause: string, at: number | null): void
  /** A reader waits for room: it should be looked after soon. */
  hurry(): void
  /** Nobody reads here any more. */
  idle(feed: Feed): void
}
