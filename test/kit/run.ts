/**
 * `node test/kit/run.ts [FRAGMENT…]` runs the test files whose path holds one of the fragments (all without).
 *
 *   --serial      one worker instead of two
 *   --under DIR   look for test files below DIR instead of test/
 *
 * The last line is always `N passed, N failed`; the exit code is 1 when something failed or nothing ran.
 */
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import pc from 'picocolors'

import { findTestFiles } from './discover.ts'
import { closingLine, renderFailure, tallyOf } from './outcome.ts'
import { runFiles } from './pool.ts'
import type { FileReport } from './pool.ts'

const WORKERS = 2
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const { values: options, positionals: fragments } = parseArgs({
  allowPositionals: true,
  options: { serial: { type: 'boolean', default: false }, under: { type: 'string', default: 'test' } },
})

process.exitCode = await main()

async function main(): Promise<number> {
  const files = await findTestFiles(ROOT, options.under, fragments)
  if (files.length === 0) say(`no test file matches ${fragments.join(' ') || options.under}`)
  const reports = await runFiles(files, { workers: options.serial ? 1 : WORKERS, env: process.env, onReport })

  const outcomes = reports.flatMap((report) => report.outcomes)
  const tally = tallyOf(outcomes)
  for (const report of reports) showFailures(report)
  showSkipped(reports)
  say(`\n${closingLine(tally)}`)
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0
}

function onReport(report: FileReport): void {
  const { passed, failed, skipped } = tallyOf(report.outcomes)
  const mark = failed > 0 ? pc.red('✘') : pc.green('•')
  const counts = [
    `${passed} passed`,
    failed > 0 ? pc.red(`${failed} failed`) : '',
    skipped > 0 ? `${skipped} skipped` : '',
  ]
  say(`${mark} ${shown(report.file)}  ${pc.dim(`${counts.filter(Boolean).join(', ')}, ${Math.round(report.ms)} ms`)}`)
}

function showFailures(report: FileReport): void {
  const failures = report.outcomes.filter((outcome) => outcome.state === 'failed')
  for (const outcome of failures) say(`\n${renderFailure(shown(report.file), outcome)}`)
  if (failures.length > 0 && report.output.trim() !== '') {
    say(pc.dim(`    — what ${shown(report.file)} wrote —\n${report.output.trimEnd().replaceAll(/^/gm, '    ')}`))
  }
}

/** Once per reason: fifty tests that need the same missing server are one sentence. */
function showSkipped(reports: readonly FileReport[]): void {
  const byReason = new Map<string, number>()
  for (const { outcomes } of reports) {
    for (const { state, reason } of outcomes) {
      if (state === 'skipped') byReason.set(reason ?? '', (byReason.get(reason ?? '') ?? 0) + 1)
    }
  }
  for (const [reason, count] of byReason) say(`skipped ${count}: ${reason}`)
}

function shown(file: string): string {
  return relative(ROOT, file)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
