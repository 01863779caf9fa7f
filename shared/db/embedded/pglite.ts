/**
 * The embedded database: PGlite (PostgreSQL compiled to WebAssembly) on a worker thread, reached like any other server by
 * a URL, so that there is one code path. It listens on loopback only and wants the password that is in the URL, because
 * other users of the machine can reach the port.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { FromPgliteWorker, PgliteWorkerData } from './pglite-worker.ts'

export interface PgliteOptions {
  /** Absent: in memory, gone when it is stopped. */
  readonly dataDir?: string
  /** Of the port on loopback; a free one by default. */
  readonly port?: number
  readonly idleInTransactionMs?: number
}

export interface Pglite {
  readonly url: string
  stop(): Promise<void>
}

/** Below half of the lease (DESIGN section 4), so that a frozen transaction never outlives the wait of a takeover. */
export const PGLITE_IDLE_IN_TRANSACTION_MS = 2_900
const STOP_MS = 10_000
const HOST = '127.0.0.1'

export async function startPglite(options: PgliteOptions = {}): Promise<Pglite> {
  const { dataDir } = options
  const unlock = dataDir === undefined ? async () => {} : await lock(dataDir)
  const password = randomBytes(18).toString('base64url')
  const data: PgliteWorkerData = {
    ...(dataDir === undefined ? {} : { dataDir }),
    host: HOST,
    port: options.port ?? 0,
    password,
    idleInTransactionMs: options.idleInTransactionMs ?? PGLITE_IDLE_IN_TRANSACTION_MS,
  }
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: data, name: 'pglite' })
  try {
    const port = await listening(worker)
    return {
      url: `postgres://postgres:${password}@${HOST}:${port}/postgres`,
      stop: async () => {
        await stopped(worker)
        await unlock()
      },
    }
  } catch (error) {
    await worker.terminate()
    await unlock()
    throw error
  }
}

function listening(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void => {
      reject(new WaggleError('DATABASE_DOWN', { reason: `The embedded database did not start: ${reason}` }, { cause }))
    }
    worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error), error))
    worker.on('exit', (code) => fail(`its thread ended with code ${code}`))
    worker.on('message', (message: FromPgliteWorker) => {
      if (message.type === 'listening') resolve(message.port)
      if (message.type === 'failed') fail(message.message)
    })
  })
}

async function stopped(worker: Worker): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve())
    timer = setTimeout(resolve, STOP_MS)
  })
  worker.postMessage('stop')
  await exited
  clearTimeout(timer)
  await worker.terminate()
}

/**
 * Two processes on one data folder would destroy it, and PGlite does not notice. The lock is a file beside the folder
 * with our process id; that of a process which is no more is taken over.
 */
async function lock(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dirname(dataDir), `.${dataDir.split(/[\\/]/).at(-1) ?? 'data'}.lock`)
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 })
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
  } catch (error) {
    const holder = Number(await readFile(file, 'utf8').catch(() => '0'))
    if (holder !== process.pid && isAlive(holder)) {
      throw new WaggleError(
        'CONFIG',
        { reason: `The data in ${dataDir} is in use by process ${holder}.`, file },
        { cause: error },
      )
    }
    await writeFile(file, String(process.pid))
  }
  return () => rm(file, { force: true })
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
