/**
 * Runs test files in worker processes, each file in one worker, so that a file that hangs or crashes is bounded and named.
 *
 * The pool owns its workers. A worker that is silent past the deadline of its current step plus a grace is killed by its
 * pid, the step it was in is reported as failed, and a new worker takes the next file.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { FromWorker } from './messages.ts'
import { LOAD_DEADLINE_MS } from './messages.ts'
import type { Outcome } from './outcome.ts'
import type { Step } from './recorder.ts'

const LEAVE_TIMEOUT_MS = 5000
const KEPT_OUTPUT_CHARS = 16_000
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))

export interface FileReport {
  readonly file: string
  readonly outcomes: readonly Outcome[]
  readonly ms: number
  /** The end of what the file wrote to stdout and stderr; shown when it failed. */
  readonly output: string
}

export interface PoolOptions {
  readonly workers: number
  readonly env: NodeJS.ProcessEnv
  readonly onReport: (report: FileReport) => void
  readonly graceMs: number
}

export async function runFiles(files: readonly string[], options: PoolOptions): Promise<FileReport[]> {
  const waiting = [...files]
  const reports: FileReport[] = []
  const lanes = Array.from({ length: Math.max(1, Math.min(options.workers, files.length)) }, async () => {
    let worker: ChildProcess | undefined
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      worker ??= startWorker(options.env)
      const { report, reusable } = await runFile(worker, file, options.graceMs)
      reports.push(report)
      options.onReport(report)
      if (!reusable) {
        await stop(worker)
        worker = undefined
      }
    }
    if (worker !== undefined) await stop(worker)
  })
  await Promise.all(lanes)
  return reports
}

function startWorker(env: NodeJS.ProcessEnv): ChildProcess {
  return fork(WORKER, [], { env: { ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
}

function runFile(
  worker: ChildProcess,
  file: string,
  graceMs: number,
): Promise<{ report: FileReport; reusable: boolean }> {
  const begun = performance.now()
  const outcomes: Outcome[] = []
  let output = ''
  let step: Step = { suite: file, test: 'load', deadlineMs: LOAD_DEADLINE_MS }
  let timer: NodeJS.Timeout | undefined

  return new Promise((resolve) => {
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT_OUTPUT_CHARS)
    }
    const finish = (reusable: boolean, problem?: string): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      worker.stdout?.off('data', keep)
      worker.stderr?.off('data', keep)
      if (problem !== undefined) {
        const failure = { message: problem, diff: '', stack: '' }
        outcomes.push({ suite: step.suite, test: step.test, state: 'failed', ms: performance.now() - begun, failure })
      }
      resolve({ report: { file, outcomes, ms: performance.now() - begun, output }, reusable })
    }
    const watch = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        worker.kill('SIGKILL') // its thread is held: it would not hear anything softer
        finish(false, `"${step.test}" held its process for ${step.deadlineMs + graceMs} ms; the process was ended`)
      }, step.deadlineMs + graceMs)
    }
    const onMessage = (message: FromWorker): void => {
      switch (message.type) {
        case 'step':
          step = message.step
          watch()
          return
        case 'outcome':
          outcomes.push(message.outcome)
          return
        case 'done':
          finish(!message.tainted)
      }
    }
    const onExit = (code: number | null, signal: string | null): void => {
      finish(false, `the process ended with ${signal ?? `code ${code}`} in "${step.test}"`)
    }
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.stdout?.on('data', keep)
    worker.stderr?.on('data', keep)
    watch()
    worker.send({ file })
  })
}

/** Ends a worker: it leaves when the channel closes (and then writes its coverage); one that does not is killed. */
async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => worker.kill('SIGKILL'), LEAVE_TIMEOUT_MS)
    worker.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    if (worker.connected) worker.disconnect()
  })
}
