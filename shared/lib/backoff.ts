/**
 * Exponential backoff with full jitter (Marc Brooker, "Exponential Backoff And Jitter", 2015): a random wait between
 * half and all of min(maxMs, firstMs * 2^attempt), so that a crowd that failed together does not return together.
 */
export function backoffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}
