import { parentPort } from 'node:worker_threads'

import { fitLsa, lsaToBytes } from '#shared/ranking/lsa.ts'
import type { EmbeddedText } from '#shared/ranking/hashed-embedder.ts'

/** Passages until none come; then the model goes back, and the thread ends. */
export type ToFitThread = { readonly passages: readonly EmbeddedText[] } | { readonly end: true }

const passages: EmbeddedText[] = []
parentPort?.on('message', (message: ToFitThread) => {
  if ('passages' in message) {
    for (const passage of message.passages) passages.push(passage)
    return
  }
  const model = lsaToBytes(fitLsa(passages))
  parentPort?.postMessage(model)
  parentPort?.close()
})
