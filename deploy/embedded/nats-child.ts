import { spawn } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { findNatsServer } from '#deploy/provision/nats-server.ts'
import type { ProcessNotes } from './process-notes.ts'

export interface NatsChild {
  readonly url: string
  readonly version: string
  readonly pid: number
  /** Settles when the server ended without having been stopped. */
  readonly died: Promise<void>
  readonly stop: () => Promise<void>
}

const NAME = 'nats-server'
const READY_MS = 10_000
const STOP_MS = 10_000

/**
 * A real nats-server of our own on loopback, with a token that only this machine's user can read. It is no child of the
 * terminal: a Ctrl-C meant for us must not take the broker away before our work has drained.
 */
export async function startNatsChild(dir: string, processes: ProcessNotes): Promise<NatsChild> {
  const binary = await findNatsServer()
  await mkdir(dir, { recursive: true })
  const port = await freePort()
  const token = randomBytes(18).toString('base64url')
  const config = join(dir, 'server.conf')
  const lines = [
    `listen: 127.0.0.1:${port}`,
    `authorization { token: "${token}" }`,
    `jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))} }`,
    'max_payload: 1MB',
    'max_connections: 4096',
  ]
  await writeFile(config, `${lines.join('\n')}\n`, { mode: 0o600 })
  const log = openSync(join(dir, 'server.log'), 'a')
  const child = spawn(binary.path, ['-c', config], { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  if (child.pid !== undefined) processes.note(NAME, child.pid, config)
  let stopping = false
  let ended = false
  const exit = new Promise<void>((resolve) =>
    child.once('exit', () => ((ended = true), processes.forget(NAME), resolve())),
  )
  const died = exit.then(() => (stopping ? new Promise<never>(() => {}) : undefined))
  const failed = new Promise<never>((_resolve, reject) =>
    child.once('error', (cause) => reject(new WaggleError('NATS_MISSING', { path: binary.path }, { cause }))),
  )
  failed.catch(() => {})
  await Promise.race([ready(port, () => ended, dir), failed])
  const pid = child.pid!
  child.unref()
  return {
    url: `nats://${token}@127.0.0.1:${port}`,
    version: binary.version,
    pid,
    died,
    stop: async () => {
      stopping = true
      if (ended) return
      process.kill(pid, 'SIGTERM')
      const patience = delay(STOP_MS, undefined, { ref: false }).then(() => {
        if (!ended) process.kill(pid, 'SIGKILL')
      })
      await Promise.race([exit, patience])
    },
  }
}

async function ready(port: number, ended: () => boolean, dir: string): Promise<void> {
  const until = Date.now() + READY_MS
  while (Date.now() < until && !ended()) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('data', () => (socket.destroy(), resolve(true)))
      socket.once('error', () => resolve(false))
    })
    if (answers) return
    await delay(20)
  }
  throw new WaggleError('BROKER_DOWN', { reason: `nats-server did not come up; see ${join(dir, 'server.log')}.` })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new WaggleError('INTERNAL', { reason: 'no free port' })
  return address.port
}
