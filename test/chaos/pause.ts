import { setTimeout as delay } from 'node:timers/promises'

/** Faults come at random moments: this is the waiting between them, the one place where chaos waits for nothing in particular. */
export function pause(leastMs: number, mostMs: number, random: () => number): Promise<void> {
  return delay(leastMs + random() * (mostMs - leastMs))
}

const STEP_MS = 50

/** Waits until it is so; false when it is not in time. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  stepMs = STEP_MS,
): Promise<boolean> {
  const until = performance.now() + withinMs
  for (;;) {
    if (await holds()) return true
    if (performance.now() > until) return false
    await delay(stepMs)
  }
}
