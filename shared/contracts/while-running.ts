import { z } from 'zod'

/**
 * What becomes of a message that comes while a turn is at work: of the message itself, else of the agent at work, else
 * `enqueue`. Where nothing is at work all but `debounce` simply begin a turn.
 *
 * - `reject`     it is refused (BUSY) and not stored
 * - `enqueue`    it waits in line
 * - `interrupt`  the turn at work is stopped, what was said of its answer stays, and this one is next
 * - `rollback`   the turn at work is stopped and taken back, with its message, and this one is next
 * - `debounce`   it waits DEBOUNCE_MS for more, which are joined to it: one turn for all of them
 * - `steer`      the run at work hears it at its next tool boundary; if it cannot, that is said (`message:undelivered`)
 */
export const WhileRunning = z.enum(['reject', 'enqueue', 'interrupt', 'rollback', 'debounce', 'steer'])
export type WhileRunning = z.infer<typeof WhileRunning>

/** How long a debounced message waits for the next one. */
export const DEBOUNCE_MS = 1_500
/** From the first message on: one who never stops typing is answered all the same. */
export const DEBOUNCE_MAX_MS = 15_000
/** Messages joined to one turn. */
export const DEBOUNCE_MAX_MESSAGES = 20
/** Messages and whispers that a run has not heard yet; beyond it: BUSY. */
export const MAX_PENDING = 20
