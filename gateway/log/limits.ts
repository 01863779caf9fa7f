/** Bounds of reading the log (I11). */

/** An active scope that is silent for this long is asked for its tail: a lost last entry is noticed too. */
export const TAIL_CHECK_MS = 1_000
/** A scope that is never silent is compared with the stored log this often. */
export const VERIFY_MS = 15_000
/** How often feeds are looked over; only while there is something to look after. */
export const SWEEP_MS = 250
/** Readings of the stored log at the same time in one gateway; more wait in line. */
export const MAX_REPLAYS = 16
/** Tail checks at the same time in one gateway. */
export const MAX_CHECKS = 16
/** Live entries held back while a feed reads; beyond it they are dropped and read again. */
export const HELD_ENTRIES = 8_192
/** Entries handed to a replaying reader at once, between two looks at its buffer. */
export const CHUNK_ENTRIES = 128
/** A reader that fell further behind than this gets a snapshot instead of the entries. */
export const LAG_ENTRIES = 2_000
/** Of a snapshot for operators: turns told of, the newest; entries and bytes that tell of them. */
export const PAST_TURNS = 20
export const PAST_ENTRIES = 500
export const PAST_BYTES = 256 * 1024
/** A reader whose buffer stays full for this long is ended; its cursor lets it come again. */
export const STALLED_MS = 30_000
/** Voided sequences remembered for one scope, so that a late reader needs no floors; then they are loaded again. */
export const VOIDED_ENTRIES = 4_096
/** Scopes whose floors one watcher of a whole tenant keeps; the longest silent are loaded again when they speak. */
export const WATCHED_SCOPES = 2_000
/** Waits between tries to read the log while the broker or the keeper does not answer. */
export const RETRY_FIRST_MS = 100
export const RETRY_MAX_MS = 2_000
/** How often the keeper is asked whether the log is still the same one, while somebody reads. */
export const INCARNATION_CHECK_MS = 15_000
/** How long a log that lost its tail is waited for to get its new incarnation. */
export const REBORN_WAIT_MS = 12_000
/** How often the readers are looked over when nothing needs it. */
export const UNHURRIED_SWEEP_MS = 1_000
/** A quiet scope is compared with the stored log this often, when the log has moved at all. */
export const IDLE_CHECK_MS = 30_000
