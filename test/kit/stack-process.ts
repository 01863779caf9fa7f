/** The embedded stack as its user starts it: `deploy/embedded/main.ts` as a process, with a state folder of its own. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { hold } from './leaks.ts'
import { notePid, scratchFolder } from './scratch.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const READY_MS = 90_000
const STOP_MS = 40_000

export interface StackProcess {
  readonly url: string
  /** Of the demo's operator. */
  readonly token: string
  readonly pid: number
  readonly state: string
  /** Everything it wrote. */
  readonly output: () => string
  /** SIGTERM; resolves with the exit code. */
  readonly stop: () => Promise<number | null>
}

export interface StackProcessOptions {
  readonly args?: readonly string[]
  /** A state folder of an earlier one; a fresh one if absent. */
  readonly state?: string
  readonly env?: Readonly<Record<string, string>>
}

export async function startStackProcess(options: StackProcessOptions = {}): Promise<StackProcess> {
  const state = options.state ?? join(await scratchFolder('stack'), 'state')
  const port = await freePort()
  const env = { ...process.env, WAGGLE_STATE: state, LOG_LEVEL: 'error', ...options.env }
  delete (env as Record<string, string | undefined>)['NATS_URL']
  delete (env as Record<string, string | undefined>)['DATABASE_URL']
  const child = spawn(
    process.execPath,
    [join(ROOT, 'deploy/embedded/main.ts'), '--port', String(port), ...(options.args ?? [])],
    { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const release = hold('process', `embedded stack ${child.pid}`)
  await notePid(await scratchFolder('stack-pid'), child.pid!)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => (release(), resolve(code))))
  await ready(child, () => output, exit)
  const endpoint = JSON.parse(await readFile(join(state, 'endpoint.json'), 'utf8')) as { url: string; token: string }
  return {
    ...endpoint,
    pid: child.pid!,
    state,
    output: () => output,
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const code = await exit
      clearTimeout(late)
      return code
    },
  }
}

async function ready(child: ChildProcess, output: () => string, exit: Promise<number | null>): Promise<void> {
  const up = new Promise<void>((resolve) => {
    const look = (): void => {
      if (!output().includes('Waggle is up')) return
      child.stdout?.off('data', look)
      resolve()
    }
    child.stdout?.on('data', look)
  })
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`the stack is not up after ${READY_MS} ms:\n${output()}`)),
    READY_MS,
  )
  const died = exit.then((code) => Promise.reject(new Error(`the stack ended with ${code}:\n${output()}`)))
  died.catch(() => {})
  late.promise.catch(() => {})
  try {
    await Promise.race([up, late.promise, died])
  } finally {
    clearTimeout(timer)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
