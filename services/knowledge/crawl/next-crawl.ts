export interface CrawlHistory {
  /** Milliseconds between this visit and the one before; 0 after the first. */
  readonly intervalMs: number
  /** Whether the text had changed. */
  readonly changed: boolean
  /** Visits in a row that failed. */
  readonly failures: number
}

export interface CrawlSchedule {
  readonly minMs: number
  readonly maxMs: number
}

const HOUR_MS = 3_600_000

export const DEFAULT_SCHEDULE: CrawlSchedule = { minMs: HOUR_MS, maxMs: 30 * 24 * HOUR_MS }
/** After a change twice as often, without one half as often again: a page is soon seen about as often as it changes. */
const SOONER = 0.5
const LATER = 1.5
/** A page that was never seen again is looked at after a day. */
const FIRST_MS = 24 * HOUR_MS

/** How long to wait before the page is visited again; doubled for each failure in a row. */
export function nextCrawlMs(
  { intervalMs, changed, failures }: CrawlHistory,
  { minMs, maxMs } = DEFAULT_SCHEDULE,
): number {
  const base = intervalMs === 0 ? FIRST_MS : intervalMs * (failures > 0 ? 1 : changed ? SOONER : LATER)
  return Math.round(Math.min(maxMs, Math.max(minMs, base * 2 ** Math.min(failures, 20))))
}
