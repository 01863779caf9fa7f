/**
 * Runs test files one after another, told by the runner over IPC. What a file leaves in this process is seen by the next
 * one, so a file after which an uncaught exception arrived taints the process, and the runner replaces it.
 */
import { pathToFileURL } from 'node:url'

import { coerceError } from '#shared/errors/waggle-error.ts'

import type { FromWorker, RunFile } from './messages.ts'
import { LOAD_DEADLINE_MS } from './messages.ts'
import { currentStep, listen, recordOutcome, recordStep, takeDeclaredSuites } from './recorder.ts'

let tainted = false

listen({
  step: (step) => send({ type: 'step', step }),
  outcome: (outcome) => send({ type: 'outcome', outcome }),
})

// After `listen`: without a listener, suite.ts takes this process for a test file run by itself.
const { runQueued } = await import('./suite.ts')

process.on('uncaughtException', (thrown: unknown) => {
  tainted = true
  fail('uncaught exception', thrown)
})
process.on('unhandledRejection', (thrown: unknown) => {
  fail('unhandled rejection', thrown)
})
process.on('disconnect', () => process.exit(0))
process.on('message', (message: RunFile) => {
  void runFile(message.file)
})

async function runFile(file: string): Promise<void> {
  recordStep({ suite: file, test: 'load', deadlineMs: LOAD_DEADLINE_MS })
  try {
    await import(pathToFileURL(file).href)
    if (takeDeclaredSuites() === 0) throw new Error('the file declares no suite')
    await runQueued()
  } catch (thrown) {
    fail('load', thrown)
  }
  // A rejection that belongs to this file arrives within the turn of the loop in which it became unhandled.
  await new Promise((resolve) => setImmediate(resolve))
  process.exitCode = 0
  send({ type: 'done', tainted })
}

function fail(what: string, thrown: unknown): void {
  const error = coerceError(thrown)
  const step = currentStep()
  recordOutcome({
    suite: step?.suite ?? 'worker',
    test: step === undefined || step.test === what ? what : `${step.test} (${what})`,
    state: 'failed',
    ms: 0,
    failure: { message: `${what}: ${error.message}`, diff: '', stack: error.stack ?? '' },
  })
}

function send(message: FromWorker): void {
  process.send?.(message)
}
