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
  /** What `snapshot` gave: begin from that instead of an empty database. */
  readonly snapshot?: Uint8Array
}

export type ToPgliteWorker = 'stop' | 'snapshot'

export type FromPgliteWorker =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'snapshot'; readonly bytes: Uint8Array }

const port = parentPort
if (port === null) throw new TypeError('pglite-worker.ts is a worker thread')
const options = workerData as PgliteWorkerData
const say = (message: FromPgliteWorker): void => port.postMessage(message)

try {
  const { dataDir, snapshot } = options
  const session = await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(snapshot === undefined ? {} : { loadDataDir: new Blob([new Uint8Array(snapshot)]) }),
    extensions: { vector },
  })
  const gate = new Gate({ ...options, session })
  const obey = async (order: ToPgliteWorker): Promise<void> => {
    if (order === 'snapshot') {
      const dump = await session.dumpDataDir('none')
      say({ type: 'snapshot', bytes: new Uint8Array(await dump.arrayBuffer()) })
      return
    }
    await gate.close()
    await session.close()
    port.close()
  }
  port.on('message', (order: ToPgliteWorker) => {
    obey(order).catch((error: unknown) => {
      say({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
      port.close()
    })
  })
  say({ type: 'listening', port: (await gate.listen()).port })
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  port.close()
}
