/**
 * Time as a port: production uses the system clock, tests a manual or simulated one. Nothing in the runtime calls
 * `setTimeout` or `Date.now` itself, so that a seeded simulation decides every order of events.
 */
export interface Clock {
  /** Wall time in milliseconds since 1970. Never used to fence anything. */
  now(): number
  /** Milliseconds that only grow, from an arbitrary start: for measuring how long something took or was silent. */
  elapsed(): number
  /** Runs `fn` once after `ms` milliseconds; the returned function gives the timer back. */
  setTimeout(fn: () => void, ms: number): Cancel
  /** Runs `fn` after every microtask that is already possible: what is still pending then awaits the outside world. */
  immediate(fn: () => void): Cancel
}

export type Cancel = () => void

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimeout(fn, ms) {
    const timer = setTimeout(fn, Math.max(0, Math.min(ms, MAX_TIMER_MS)))
    return () => clearTimeout(timer)
  },
  immediate(fn) {
    const handle = setImmediate(fn)
    return () => clearImmediate(handle)
  },
}

/** Longer timers fire at once in Node (a 32-bit overflow); whoever waits longer has to arm it again. */
export const MAX_TIMER_MS = 2_147_483_647

export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    const stop = (): void => {
      cancel()
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    }
    const cancel = clock.setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
