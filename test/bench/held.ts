/** What a process keeps, for figures of what is left when nothing happens. */
export interface Held {
  /** Activations, runs and open calls. */
  readonly entries: number
  /** That keep the process alive. */
  readonly timers: number
  /** After a forced collection; null unless the process was started with --expose-gc. */
  readonly heapBytes: number | null
}

interface Census {
  readonly activations: number
  readonly runs: number
  readonly calls: number
}

export async function heldBy(census: Census): Promise<Held> {
  const { gc } = globalThis
  // What a collection lets go of may have had a finalizer that lets go of more.
  for (let round = 0; gc !== undefined && round < GC_ROUNDS; round++) {
    gc()
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
  return {
    entries: census.activations + census.runs + census.calls,
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    heapBytes: gc === undefined ? null : process.memoryUsage().heapUsed,
  }
}

const GC_ROUNDS = 3
