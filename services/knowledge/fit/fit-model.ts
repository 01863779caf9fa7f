import { Worker } from 'node:worker_threads'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { EmbeddedText } from '#shared/ranking/hashed-embedder.ts'
import type { ToFitThread } from './fit-thread.ts'

/** Twenty thousand passages take a minute of one core. */
const FIT_LIMIT_MS = 15 * 60_000
const FIT_HEAP_MB = 1_024

/**
 * A model of the passages, as bytes, fitted on a thread of its own: seconds of arithmetic, during which this one goes on.
 * The thread is gone when this settles, also when it is cancelled or takes too long.
 */
export async function fitModel(
  batches: AsyncIterable<readonly EmbeddedText[]>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted()
  const thread = new Worker(new URL('./fit-thread.ts', import.meta.url), {
    name: 'fit',
    resourceLimits: { maxOldGenerationSizeMb: FIT_HEAP_MB },
  })
  const ends = new AbortController()
  const tell = (message: ToFitThread): void => thread.postMessage(message)
  const outcome = new Promise<Uint8Array>((resolve, reject) => {
    thread.once('message', (model: Uint8Array) => resolve(model))
    thread.once('error', (error) => reject(new WaggleError('INTERNAL', { step: 'fitting' }, { cause: error })))
    thread.once('exit', () => reject(new WaggleError('INTERNAL', { step: 'fitting', reason: 'The thread ended.' })))
    const late = setTimeout(() => reject(new WaggleError('DEADLINE', { step: 'fitting' })), FIT_LIMIT_MS)
    ends.signal.addEventListener('abort', () => clearTimeout(late))
    signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: ends.signal })
  })
  // Handled below; it may fail while passages are still being read.
  outcome.catch(() => {})
  try {
    for await (const passages of batches) {
      signal.throwIfAborted()
      tell({ passages })
    }
    tell({ end: true })
    return await outcome
  } finally {
    ends.abort()
    await thread.terminate()
  }
}
