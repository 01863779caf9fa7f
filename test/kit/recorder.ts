/**
 * Where suites of this process report to. The worker listens and passes it on to the runner; a test file run by itself
 * prints its own summary at exit. There is one recorder per process, because there is one uvu queue per process.
 */
import type { Outcome } from './outcome.ts'

export interface Step {
  readonly suite: string
  readonly test: string
  readonly deadlineMs: number
}

export interface Listener {
  /** A step has begun; whoever watches this process may end it some time after the deadline. */
  step(step: Step): void
  outcome(outcome: Outcome): void
}

let listener: Listener | undefined
let current: Step | undefined
let declaredSuites = 0

export function listen(to: Listener): void {
  listener = to
}

export function isListening(): boolean {
  return listener !== undefined
}

export function recordStep(step: Step): void {
  current = step
  listener?.step(step)
}

export function recordOutcome(outcome: Outcome): void {
  listener?.outcome(outcome)
}

/** The step being run, to which a stray rejection is attributed. */
export function currentStep(): Step | undefined {
  return current
}

export function countSuite(): void {
  declaredSuites += 1
}

/** Suites declared since the last call: a test file that declares none is an error. */
export function takeDeclaredSuites(): number {
  const count = declaredSuites
  declaredSuites = 0
  return count
}
