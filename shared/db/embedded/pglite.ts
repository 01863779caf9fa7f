/**
 * The embedded database: PGlite (PostgreSQL compiled to WebAssembly) on a worker thread, reached like any other server by
 * a URL, so that there is one code path. It listens on loopback only and wants the password that is in the URL, because
 * other users of the machine can reach the port.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'

import { WaggleError } from '#shared/errors/waggle-error.ts'

import type { FromPgliteWorker, PgliteWorkerData, ToPgliteWorker } from './pglite-worker.ts'

export interface PgliteOptions {
  /** Absent: in memory, gone when it is stopped. */
  readonly dataDir?: string
  /** Of the port on loopback; a free one by default. */
  readonly port?: number
  readonly idleInTransactionMs?: number
  /** Begins from what `snapshot` gave, ten times faster than from nothing. */
  readonly snapshot?: Uint8Array
}

export interface Pglite {
  readonly url: string
  /** The whole database as one archive. Nobody may be in a transaction meanwhile. */
  snapshot(): Promise<Uint8Array>
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
    ...(options.snapshot === undefined ? {} : { snapshot: options.snapshot }),
  }
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: data, name: 'pglite' })
  try {
    const message = await answer(worker)
    if (message.type !== 'listening') throw failure('it does not listen')
    const { port } = message
    return {
      url: `postgres://postgres:${password}@${HOST}:${port}/postgres`,
      snapshot: async () => {
        const dumped = answer(worker)
        order(worker, 'snapshot')
        const message = await dumped
        if (message.type !== 'snapshot') throw failure('it gave no snapshot')
        return message.bytes
      },
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

/** The next thing the thread says; rejects when it fails or ends instead. */
function answer(worker: Worker): Promise<FromPgliteWorker> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromPgliteWorker): void => {
      settle()
      if (message.type === 'failed') reject(failure(message.message))
      else resolve(message)
    }
    const onError = (error: unknown): void => {
      settle()
      reject(failure(error instanceof Error ? error.message : String(error), error))
    }
    const onExit = (code: number): void => onError(new Error(`its thread ended with code ${code}`))
    const settle = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  })
}

function order(worker: Worker, what: ToPgliteWorker): void {
  worker.postMessage(what)
}

function failure(reason: string, cause?: unknown): WaggleError {
  return new WaggleError('DATABASE_DOWN', { reason: `The embedded database failed: ${reason}` }, { cause })
}

async function stopped(worker: Worker): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve())
    timer = setTimeout(resolve, STOP_MS)
  })
  order(worker, 'stop')
  await exited
  clearTimeout(timer)
  await worker.terminate()
}

/**
 * Two processes on one data folder would destroy it, and PGlite does not notice. The lock is a file beside the folder that
 * names our process and when it began; that of a process which is no more is taken over.
 */
async function lock(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dirname(dataDir), `.${basename(dataDir)}.lock`)
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 })
  const own = await identityOf(process.pid)
  try {
    await writeFile(file, own ?? '', { flag: 'wx' })
  } catch (error) {
    const holder = await readFile(file, 'utf8').catch(() => '')
    const pid = Number.parseInt(holder, 10)
    if (pid > 0 && (await identityOf(pid)) === holder) {
      throw new WaggleError(
        'CONFIG',
        { reason: `The data in ${dataDir} is in use by process ${pid}.`, file },
        { cause: error },
      )
    }
    await writeFile(file, own ?? '')
  }
  return () => rm(file, { force: true })
}

/** A pid comes again, after a restart of the machine even soon: with the time its process began it does not. */
async function identityOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The 22nd field; the second is the program's name in brackets and may hold spaces.
  const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  if (began !== undefined) return `${pid} ${began}`
  return process.platform !== 'linux' && isAlive(pid) ? String(pid) : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
