import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export type Role = 'supervisor' | 'agents' | 'guardrails' | 'tools' | 'desk' | 'directory' | 'gateway' | 'crasher'

export type ToPeer =
  | { readonly type: 'clock'; readonly offsetMs: number }
  | { readonly type: 'look'; readonly id: number }
export type FromPeer =
  | { readonly type: 'up'; readonly url: string }
  | ({ readonly type: 'looked'; readonly id: number } & Looked)

/** How a process stands. Memory after a collection. */
export interface Looked {
  readonly rss: number
  readonly heap: number
  readonly external: number
  readonly partitions: number
  /** In the text form of Prometheus. */
  readonly metrics: string
}

const UP_MS = 120_000
/** Compiled once for all processes of all runs: they start in half the time. */
const COMPILED = join(import.meta.dirname, '..', '..', '..', '.cache', 'compiled')
const LEAVE_MS = 20_000
const LOOK_MS = 20_000

export interface PeerSpec {
  readonly name: string
  readonly roles: readonly Role[]
  readonly env: NodeJS.ProcessEnv
}

/** A process of the product that can be killed, frozen, restarted in good order, and whose wall clock can be stepped. */
export class Peer {
  readonly spec: PeerSpec
  /** Of its gateway; empty where it has none. */
  url = ''
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()
  #looks = 0
  readonly #waiting = new Map<number, (looked: Looked) => void>()

  constructor(spec: PeerSpec) {
    this.spec = spec
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const { name, roles, env } = this.spec
    const child = fork(join(import.meta.dirname, 'peer-process.ts'), {
      env: { NODE_COMPILE_CACHE: COMPILED, ...env, PEER_NAME: name, PEER_ROLES: roles.join(',') },
      execArgv: ['--disable-warning=ExperimentalWarning', '--trace-warnings', '--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${name} is not up after ${UP_MS} ms`)), UP_MS)
      child.on('message', (message) => {
        const said = message as FromPeer
        if (said.type === 'looked') return this.#waiting.get(said.id)?.(said)
        this.url = said.url
        clearTimeout(late)
        resolve()
      })
      child.once('exit', (code, signal) => {
        clearTimeout(late)
        reject(new Error(`${name} ended at its start (${signal ?? code})`))
      })
    })
  }

  get runs(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  stepClock(offsetMs: number): void {
    this.#send({ type: 'clock', offsetMs })
  }

  /** In good order (SIGTERM); killed when it takes too long, and then false. */
  async leave(): Promise<boolean> {
    if (!this.runs) return true
    let inTime = true
    const late = setTimeout(() => {
      inTime = false
      this.#child?.kill('SIGKILL')
    }, LEAVE_MS)
    this.#child?.kill('SIGTERM')
    await this.#exited
    clearTimeout(late)
    return inTime
  }

  async look(): Promise<Looked> {
    const id = ++this.#looks
    try {
      return await new Promise<Looked>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${this.spec.name} does not answer`)), LOOK_MS)
        this.#waiting.set(id, (looked) => {
          clearTimeout(late)
          resolve(looked)
        })
        this.#send({ type: 'look', id })
      })
    } finally {
      this.#waiting.delete(id)
    }
  }

  #send(message: ToPeer): void {
    this.#child?.send(message)
  }
}

/** The sum of a counter over its labels, or over those whose labels hold `having`. */
export function metric({ metrics }: Looked, name: string, having = ''): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(having))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
