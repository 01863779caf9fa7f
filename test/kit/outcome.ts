/**
 * What became of one test, as plain data that crosses from a worker to the runner, and how it is shown.
 */
import pc from 'picocolors'

export interface Failure {
  readonly message: string
  readonly diff: string
  readonly stack: string
}

export interface Outcome {
  readonly suite: string
  readonly test: string
  readonly state: 'passed' | 'failed' | 'skipped'
  readonly ms: number
  /** Why it was skipped. */
  readonly reason?: string
  readonly failure?: Failure
}

export interface Tally {
  passed: number
  failed: number
  skipped: number
}

export function tallyOf(outcomes: readonly Outcome[]): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 }
  for (const outcome of outcomes) tally[outcome.state] += 1
  return tally
}

export function renderFailure(file: string, outcome: Outcome): string {
  const { message, diff, stack } = outcome.failure ?? { message: 'failed without a reason', diff: '', stack: '' }
  const title = `${pc.red('FAIL')} ${pc.bold(`${outcome.suite} › ${outcome.test}`)}  ${pc.dim(file)}`
  return [title, indent(message), indent(diff), pc.dim(indent(stack))].filter((part) => part.trim() !== '').join('\n')
}

/** The line any CI can read: no colour, nothing after it. */
export function closingLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed`
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}
