/**
 * The one way to write a test, and the only importer of uvu.
 *
 *   suite('mailbox', ({ test, before, after }) => {
 *     test('refuses what exceeds its capacity', async () => { … })
 *   })
 *
 * What uvu alone would let through, and is closed here: a promise that never settles (each test has a deadline and is
 * named), a thrown non-Error, an error whose `details` is no string (uvu's formatter fails on it and drops the test), a
 * `before` that throws (uvu then reports success), a forgotten `.run()`, a suite without tests, and whatever a test or a
 * suite leaves open. There is no `only`: a run that silently leaves tests out is not green.
 */
import './defer-uvu.ts'

import { pathToFileURL } from 'node:url'

import { exec, suite as uvuSuite } from 'uvu'
import * as assert from 'uvu/assert'
import { compare } from 'uvu/diff'

import { coerceError } from '#shared/errors/waggle-error.ts'

import { baseline, forgetLeaks, leakedRegistrations, leakedResources } from './leaks.ts'
import type { Baseline } from './leaks.ts'
import { closingLine, renderFailure, tallyOf } from './outcome.ts'
import type { Failure, Outcome } from './outcome.ts'
import { countSuite, isListening, listen, recordOutcome, recordStep } from './recorder.ts'

export { assert }

export const TEST_DEADLINE_MS = 60_000
/** `before` and `after` start and stop servers. */
export const HOOK_DEADLINE_MS = 60_000
const STACK_FRAMES = 8

export interface TestContext {
  /** Aborted when the deadline passes, so that a body can let go of what it holds. */
  readonly signal: AbortSignal
  readonly name: string
}

export type TestBody = (context: TestContext) => void | Promise<void>
export type Hook = () => unknown

export interface SuiteKit {
  readonly test: (name: string, body: TestBody, options?: { readonly deadlineMs?: number }) => void
  readonly before: (hook: Hook) => void
  readonly after: (hook: Hook) => void
  readonly beforeEach: (hook: Hook) => void
  readonly afterEach: (hook: Hook) => void
}

class Skipped extends Error {}

/** Ends a test (called in a test) or all of a suite (called in its body or `before`); counted and printed with its reason. */
export function skip(reason: string): never {
  throw new Skipped(reason)
}

export function suite(name: string, define: (kit: SuiteKit) => void): void {
  const tests: { name: string; body: TestBody; deadlineMs: number }[] = []
  const hooks = { before: [] as Hook[], after: [] as Hook[], beforeEach: [] as Hook[], afterEach: [] as Hook[] }
  countSuite()
  let skipped: string | undefined
  let broken: unknown
  try {
    define({
      test: (testName, body, options) => {
        if (tests.some((other) => other.name === testName)) throw new Error(`two tests are named "${testName}"`)
        tests.push({ name: testName, body, deadlineMs: options?.deadlineMs ?? TEST_DEADLINE_MS })
      },
      before: (hook) => void hooks.before.push(hook),
      after: (hook) => void hooks.after.push(hook),
      beforeEach: (hook) => void hooks.beforeEach.push(hook),
      afterEach: (hook) => void hooks.afterEach.push(hook),
    })
    if (tests.length === 0) broken = new Error('the suite declares no test')
  } catch (thrown) {
    if (thrown instanceof Skipped) skipped = thrown.message
    else broken = thrown
  }

  const run = uvuSuite(name)
  let start: Baseline | undefined

  run.before(async () => {
    start = baseline()
    if (broken !== undefined) {
      recordOutcome(failed(name, 'declaration', 0, broken))
      return
    }
    if (skipped !== undefined) return
    const begun = performance.now()
    try {
      for (const hook of hooks.before) await step(name, 'before', HOOK_DEADLINE_MS, hook)
    } catch (thrown) {
      if (thrown instanceof Skipped) skipped = thrown.message
      else {
        broken = thrown
        recordOutcome(failed(name, 'before', performance.now() - begun, thrown))
      }
    }
  })

  for (const { name: testName, body, deadlineMs } of tests) {
    run(testName, async () => {
      const begun = performance.now()
      const ms = () => performance.now() - begun
      if (skipped !== undefined) {
        recordOutcome({ suite: name, test: testName, state: 'skipped', ms: 0, reason: skipped })
        return
      }
      try {
        if (broken !== undefined) throw new Error('not run, because the suite could not be set up', { cause: broken })
        await runTest(name, testName, body, deadlineMs, hooks)
        recordOutcome({ suite: name, test: testName, state: 'passed', ms: ms() })
      } catch (thrown) {
        if (thrown instanceof Skipped) {
          recordOutcome({ suite: name, test: testName, state: 'skipped', ms: ms(), reason: thrown.message })
          return
        }
        const outcome = failed(name, testName, ms(), thrown)
        recordOutcome(outcome)
        throw forUvu(outcome)
      }
    })
  }

  // uvu loses what `after` throws, so nothing leaves this hook.
  run.after(async () => {
    const begun = performance.now()
    for (const hook of hooks.after) {
      try {
        await step(name, 'after', HOOK_DEADLINE_MS, hook)
      } catch (thrown) {
        recordOutcome(failed(name, 'after', performance.now() - begun, thrown))
      }
    }
    if (start === undefined) return
    const leaked = [...leakedRegistrations(start), ...(await leakedResources(start))]
    forgetLeaks(start)
    if (leaked.length > 0) {
      recordOutcome(failed(name, 'leaves nothing behind', 0, new Error(`the suite left open: ${leaked.join(', ')}`)))
    }
  })

  run.run()
}

/** Runs the suites queued since the last call. */
export async function runQueued(): Promise<void> {
  await exec()
  UVU_QUEUE.splice(0, UVU_QUEUE.length, [null])
}

async function runTest(
  suiteName: string,
  testName: string,
  body: TestBody,
  deadlineMs: number,
  hooks: { readonly beforeEach: readonly Hook[]; readonly afterEach: readonly Hook[] },
): Promise<void> {
  const start = baseline()
  const problems: unknown[] = []
  try {
    for (const hook of hooks.beforeEach) await step(suiteName, `before ${testName}`, HOOK_DEADLINE_MS, hook)
    await step(suiteName, testName, deadlineMs, (signal) => body({ signal, name: testName }))
  } catch (thrown) {
    problems.push(thrown)
  }
  for (const hook of hooks.afterEach) {
    try {
      await step(suiteName, `after ${testName}`, HOOK_DEADLINE_MS, hook)
    } catch (thrown) {
      problems.push(thrown)
    }
  }
  const leaked = leakedRegistrations(start)
  forgetLeaks(start)
  if (problems.length === 0 && leaked.length > 0) problems.push(new Error(`the test left open: ${leaked.join(', ')}`))
  if (problems.length > 0) throw problems[0]
}

/** Runs one step under its deadline. The step may go on after it; the run does not wait for it. */
async function step(
  suiteName: string,
  stepName: string,
  deadlineMs: number,
  body: (signal: AbortSignal) => unknown,
): Promise<void> {
  recordStep({ suite: suiteName, test: stepName, deadlineMs })
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`"${stepName}" was not done after ${deadlineMs} ms`)
      controller.abort(error)
      reject(error)
    }, deadlineMs)
  })
  try {
    await Promise.race([body(controller.signal), expired])
  } finally {
    clearTimeout(timer)
  }
}

function failed(suiteName: string, testName: string, ms: number, thrown: unknown): Outcome {
  return { suite: suiteName, test: testName, state: 'failed', ms, failure: describe(thrown) }
}

function describe(thrown: unknown): Failure {
  const error = coerceError(thrown)
  const parts = [`${error.name}: ${error.message}`]
  if (!error.name.startsWith('Assertion')) {
    for (const key of ['code', 'details'] as const) {
      const value: unknown = Reflect.get(error, key)
      if (value !== undefined) parts.push(`${key}: ${plain(value)}`)
    }
  }
  if (error.cause !== undefined) parts.push(`caused by ${coerceError(error.cause).message}`)
  return { message: parts.join('\n'), diff: diffOf(error), stack: stackOf(error) }
}

/** The frames of the project, without those of the wrapper around the test. */
function stackOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  const own = frames.filter((line) => !/node:internal|node_modules\/uvu|test\/kit\/(?:suite|worker)\.ts/.test(line))
  return own
    .slice(0, STACK_FRAMES)
    .map((line) => line.trim())
    .join('\n')
}

/** uvu's assertions bring their diff with them; those of Node bring the two values. */
function diffOf(error: Error): string {
  if (!error.name.startsWith('Assertion')) return ''
  const details: unknown = Reflect.get(error, 'details')
  if (typeof details === 'string') return details
  if (!('actual' in error) || !('expected' in error)) return ''
  try {
    return compare(error.actual, error.expected)
  } catch {
    return '' // values that cannot be shown; the message says what was compared
  }
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

/** uvu needs to know only that it failed; the details are shown once, from the outcome. */
function forUvu(outcome: Outcome): Error {
  const error = new Error((outcome.failure?.message ?? 'failed').split('\n')[0])
  error.stack = ''
  return error
}

// Nobody listens: a test file is run by itself (`node test/unit/x.test.ts`). It runs when it has been evaluated to its end,
// prints its own summary, and ends even when something was left open.
if (!isListening()) {
  const file = process.argv[1] ?? ''
  const outcomes: Outcome[] = []
  listen({ step: () => undefined, outcome: (outcome) => void outcomes.push(outcome) })
  void import(pathToFileURL(file).href).then(runQueued).then(() => {
    for (const outcome of outcomes) {
      if (outcome.state === 'failed') process.stdout.write(`${renderFailure(file, outcome)}\n\n`)
      if (outcome.state === 'skipped')
        process.stdout.write(`skipped ${outcome.suite} › ${outcome.test}: ${outcome.reason}\n`)
    }
    const tally = tallyOf(outcomes)
    process.stdout.write(`${closingLine(tally)}\n`)
    process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0)
  })
}
