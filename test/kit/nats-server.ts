/**
 * Real nats-servers for tests, each on a free loopback port with a store of its own.
 *
 * The runner finds the servers once and names them in WAGGLE_TEST_NATS (a JSON list of { version, path }, oldest first); a test
 * file run by itself finds them on first use. A server is a detached process without our stdio, ended by its pid; one that
 * a test forgets fails that test (leaks.ts) and is ended with the run (scratch.ts).
 */
import { spawn } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { findNatsServers } from '#deploy/provision/nats-server.ts'
import type { NatsBinary } from '#deploy/provision/nats-server.ts'

import { hold } from './leaks.ts'
import { notePid, scratchFolder } from './scratch.ts'

const READY_TIMEOUT_MS = 10_000
const READY_STEP_MS = 10
const STOP_TIMEOUT_MS = 5000

export interface NatsOptions {
  readonly version?: 'oldest' | 'newest'
  /** On unless false. */
  readonly jetstream?: boolean
  /** More lines for the server's configuration file. */
  readonly config?: string
}

export interface TestNats {
  readonly url: string
  readonly version: string
  /** Of the process running now; another one after `restart`. */
  readonly pid: number
  /** Where the server keeps its streams. */
  readonly store: string
  /** Ends it and removes its store. Harmless twice. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would; the store stays for `restart`. */
  kill(): Promise<void>
  /** Starts it again (after stopping it in good order, if it runs) on the same port with the same store. */
  restart(): Promise<void>
}

/** The servers there are, oldest first: `for (const { version } of await natsBinaries())` makes a suite per version. */
export async function natsBinaries(): Promise<readonly NatsBinary[]> {
  const given = process.env['WAGGLE_TEST_NATS']
  if (given !== undefined) return JSON.parse(given) as NatsBinary[]
  const found = await findNatsServers()
  process.env['WAGGLE_TEST_NATS'] = JSON.stringify(found)
  return found
}

export async function startNats(options: NatsOptions = {}): Promise<TestNats> {
  const binaries = await natsBinaries()
  const binary = options.version === 'oldest' ? binaries[0] : binaries.at(-1)
  if (binary === undefined) throw new Error('WAGGLE_TEST_NATS names no server')
  const folder = await scratchFolder('nats')
  const server = new NatsProcess(binary, folder, options)
  await server.start()
  return server
}

class NatsProcess implements TestNats {
  readonly version: string
  readonly store: string
  readonly #path: string
  readonly #folder: string
  readonly #options: NatsOptions
  readonly #release: () => void
  #port = -1
  #pid = 0
  #exited: Promise<void> = Promise.resolve()
  #running = false

  constructor(binary: NatsBinary, folder: string, options: NatsOptions) {
    this.version = binary.version
    this.store = join(folder, 'store')
    this.#path = binary.path
    this.#folder = folder
    this.#options = options
    this.#release = hold('nats-server', folder)
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  get pid(): number {
    return this.#pid
  }

  async start(): Promise<void> {
    const config = join(this.#folder, 'nats.conf')
    await writeFile(config, this.#configuration())
    const log = openSync(join(this.#folder, 'log'), 'a')
    try {
      const child = spawn(this.#path, ['-c', config], { detached: true, stdio: ['ignore', log, log] })
      this.#running = true
      this.#exited = new Promise((resolve) => {
        const ended = (): void => {
          this.#running = false
          resolve()
        }
        child.once('exit', ended)
        child.once('error', ended)
      })
      child.unref()
      this.#pid = child.pid ?? 0
      if (this.#pid > 0) await notePid(this.#folder, this.#pid)
    } finally {
      closeSync(log)
    }
    await this.#ready()
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await rm(this.#folder, { recursive: true, force: true })
    this.#release()
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM')
    await this.start()
  }

  #configuration(): string {
    const jetstream = this.#options.jetstream === false ? '' : `jetstream { store_dir: ${JSON.stringify(this.store)} }`
    const ports = `ports_file_dir: ${JSON.stringify(this.#folder)}`
    return `host: 127.0.0.1\nport: ${this.#port}\n${ports}\n${jetstream}\n${this.#options.config ?? ''}\n`
  }

  /** With port -1 the server chooses a free one and writes it down; that file is gone and made again at each start. */
  async #ready(): Promise<void> {
    const until = Date.now() + READY_TIMEOUT_MS
    for (;;) {
      const port = this.#port > 0 ? this.#port : await this.#chosenPort()
      if (port !== undefined && (await accepts(port))) {
        this.#port = port
        return
      }
      if (!this.#running || Date.now() > until) {
        const log = await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')
        await this.stop()
        throw new Error(`nats-server ${this.version} did not start:\n${log.slice(-2000)}`)
      }
      await delay(READY_STEP_MS)
    }
  }

  async #chosenPort(): Promise<number | undefined> {
    const text = await readFile(join(this.#folder, `nats-server_${this.#pid}.ports`), 'utf8').catch(() => '')
    const match = /nats:\/\/127\.0\.0\.1:(\d+)/.exec(text)
    return match === null ? undefined : Number(match[1])
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.#running) return
    const exited = this.#exited
    process.kill(this.#pid, signal)
    const late = setTimeout(() => {
      if (this.#running) process.kill(this.#pid, 'SIGKILL')
    }, STOP_TIMEOUT_MS)
    await exited
    clearTimeout(late)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', () => done(true)) // the server speaks first: INFO
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
  })
}
