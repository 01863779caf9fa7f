/**
 * Another process of a figure: started here, spoken to over Node's own channel, ended by its pid. What it does is a file in
 * peers/ that calls `servePeer`. WAGGLE_BENCH_PROF=DIR makes every peer write a CPU profile there.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'

import { coerceError } from '#shared/errors/waggle-error.ts'

const ANSWER_MS = 240_000
const STOP_MS = 8_000

/** What a peer can be asked, by name. */
export type Questions = { readonly [name: string]: (input: never) => unknown }

interface Asked {
  readonly id: number
  readonly name: string
  readonly input: unknown
}
type Answered = { readonly id: number } & ({ readonly value: unknown } | { readonly problem: string })

export class Peer<Q> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #exited: Promise<void>
  #count = 0

  constructor(child: ChildProcess, name: string) {
    this.#child = child
    child.on('message', (message) => this.#onMessage(message as Answered))
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const error = new Error(`the peer ${name} ended (${signal ?? code})`)
        for (const { reject } of this.#waiting.values()) reject(error)
        this.#waiting.clear()
        resolve()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async ask<Name extends keyof Q & string>(
    name: Name,
    input: Q[Name] extends (input: infer Input) => unknown ? Input : never,
  ): Promise<Q[Name] extends (input: never) => infer Value ? Awaited<Value> : never> {
    return (await this.#request(name, input)) as never
  }

  /** @internal for startPeer */
  start(config: object): Promise<unknown> {
    return this.#request(START, config)
  }

  /** It may leave in good order (and write its profile); after a while it is ended. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    if (this.#child.connected) this.#child.disconnect()
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await this.#exited
    clearTimeout(late)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async #request(name: string, input: unknown): Promise<unknown> {
    const id = ++this.#count
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    this.#child.send({ id, name, input } satisfies Asked)
    const late = setTimeout(() => answer.reject(new Error(`no answer to ${name} in ${ANSWER_MS} ms`)), ANSWER_MS)
    try {
      return await answer.promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(id)
    }
  }

  #onMessage(message: Answered): void {
    const waiting = this.#waiting.get(message.id)
    if ('problem' in message) waiting?.reject(new Error(message.problem))
    else waiting?.resolve(message.value)
  }
}

const START = '$start'

/** @param name of the file in peers/ */
export async function startPeer<Q extends Questions>(
  name: string,
  config: object,
  options: { readonly execArgv?: readonly string[] } = {},
): Promise<Peer<Q>> {
  const folder = process.env['WAGGLE_BENCH_PROF']
  const profile = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=500`]
  const child = fork(join(import.meta.dirname, 'peers', `${name}.ts`), {
    execArgv: ['--disable-warning=ExperimentalWarning', ...profile, ...(options.execArgv ?? [])],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const peer = new Peer<Q>(child, name)
  try {
    await peer.start(config)
    return peer
  } catch (error) {
    await peer.kill()
    throw error
  }
}

/** The other end: `open` makes the answers out of the config; the process leaves when its parent lets go. */
export function servePeer<Config>(
  open: (config: Config) => Promise<{ readonly on: Questions; readonly stop: () => Promise<void> }>,
): void {
  let running: Awaited<ReturnType<typeof open>> | null = null
  const answer = async ({ name, input }: Asked): Promise<unknown> => {
    if (name === START) {
      running = await open(input as Config)
      return undefined
    }
    const work = running?.on[name]
    if (work === undefined) throw new Error(`this peer knows no ${name}`)
    return await work(input as never)
  }
  process.on('message', (message) => {
    const asked = message as Asked
    answer(asked).then(
      (value) => process.send?.({ id: asked.id, value }),
      (error: unknown) => process.send?.({ id: asked.id, problem: coerceError(error).stack ?? String(error) }),
    )
  })
  process.once('disconnect', () => {
    const late = setTimeout(() => process.exit(1), STOP_MS / 2)
    const leave = async (): Promise<void> => {
      await running?.stop().catch(() => {})
      clearTimeout(late)
      process.exit(0)
    }
    void leave()
  })
}
