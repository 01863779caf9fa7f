import type { Clock } from '#shared/lib/clock.ts'
import type { Heads } from '#shared/wire/cursor.ts'
import type { Incoming } from './incoming.ts'
import { TAIL_CHECK_MS, VERIFY_MS, VOIDED_ENTRIES } from './limits.ts'

/**
 * How far a feed has come. Owns nothing but numbers.
 *
 * Invariants: everything up to `verified` was taken in, of all lanes, in log order; of one lane, everything up to
 * `doneOf(lane)` was; `head` is the last place taken in or known to hold nothing, and never below `verified`; of what
 * was taken in after `since`, exactly the places in the voided set count for nothing.
 */
export class Progress {
  since = 0
  verified = 0
  head = 0
  /** Elapsed milliseconds at which it was last compared with the stored log. */
  checkedAt: number
  readonly #clock: Clock
  readonly #done = new Map<string, number>()
  readonly #voided = new Set<number>()
  /** Elapsed milliseconds of the oldest (0: none) and the newest entry taken in and not yet verified. */
  #doubtfulSince = 0
  #takenAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.checkedAt = clock.elapsed()
  }

  /** Begins anew after `sequence`. */
  startAt(sequence: number): void {
    this.since = this.verified = this.head = sequence
    this.#done.clear()
    this.#voided.clear()
    this.#doubtfulSince = 0
  }

  doneOf(lane: string): number {
    return Math.max(this.#done.get(lane) ?? 0, this.verified)
  }

  /** What was taken in of each audience of a scope, when the entry at `sequence` was; never beyond it. */
  headsOf(scope: string, sequence: number): Heads {
    const head = (audience: string): number => Math.min(sequence, this.doneOf(`${scope}.${audience}`))
    return { pub: head('pub'), ops: head('ops'), sys: head('sys') }
  }

  isDone({ lane, sequence }: Incoming): boolean {
    return sequence <= this.doneOf(lane)
  }

  take({ lane, sequence }: Incoming): void {
    if (sequence > (this.#done.get(lane) ?? 0)) this.#done.set(lane, sequence)
    if (sequence > this.head) this.head = sequence
    this.#takenAt = this.#clock.elapsed()
    if (this.#doubtfulSince === 0) this.#doubtfulSince = this.#takenAt
  }

  void(sequence: number): void {
    this.#voided.add(sequence)
    if (this.#voided.size <= VOIDED_ENTRIES) return
    this.#voided.clear()
    this.since = this.head
  }

  unvoid(sequence: number): void {
    this.#voided.delete(sequence)
  }

  isVoided(sequence: number): boolean {
    return this.#voided.has(sequence)
  }

  verify(upTo: number): void {
    if (upTo > this.verified) this.verified = upTo
    if (this.verified > this.head) this.head = this.verified
    for (const [lane, done] of this.#done) if (done <= this.verified) this.#done.delete(lane)
    this.checkedAt = this.#clock.elapsed()
    this.#doubtfulSince = this.#done.size > 0 ? this.checkedAt : 0
  }

  /** Something was taken in that was not yet compared with the stored log. */
  get doubtful(): boolean {
    return this.#doubtfulSince > 0
  }

  /** It is time to compare: silence after something, or too long without. */
  isCheckDue(now: number): boolean {
    if (this.#doubtfulSince === 0) return false
    return now - this.#takenAt >= TAIL_CHECK_MS || now - this.#doubtfulSince >= VERIFY_MS
  }
}
