/**
 * The thread that PGlite lives on: it blocks its event loop while it works. Receives where the data is, answers with the
 * port of the gate, and ends when it is told to stop.
 */
import { parentPort, workerData } from 'node:worker_threads'

import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

import { Gate } from './gate.ts'

export interface PgliteWorkerData {
  /** Absent: in memory. */
  readonly dataDir?: string
  readonly host: string
  readonly port: number
  readonly password: string
  readonly idleInTransactionMs: number
}

export type FromPgliteWorker =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' }

const port = parentPort
if (port === null) throw new TypeError('pglite-worker.ts is a worker thread')
const options = workerData as PgliteWorkerData
const say = (message: FromPgliteWorker): void => port.postMessage(message)

try {
  const session = await PGlite.create({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    extensions: { vector },
  })
  const gate = new Gate({ ...options, session })
  port.once('message', () => {
    void gate
      .close()
      .then(() => session.close())
      .catch((error: unknown) => say({ type: 'failed', message: String(error) }))
      .finally(() => {
        say({ type: 'stopped' })
        port.close()
      })
  })
  say({ type: 'listening', port: (await gate.listen()).port })
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  port.close()
}
