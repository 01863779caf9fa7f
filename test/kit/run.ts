/**
 * `node test/kit/run.ts [FRAGMENT…]` runs the test files whose path holds one of the fragments; without, all but those of
 * the whole stack and the page in a browser (`test/e2e`), which take as long as the others together.
 *
 *   --all         those too; on with CI=true
 *   --serial      one worker instead of two
 *   --under DIR   look for test files below DIR instead of test/
 *   --bare        provide no servers: for files that need none
 *   --grace MS    how long a worker may be silent after the deadline of its test
 *   --coverage    measure line coverage and fail below the bar; on with CI=true, when everything runs
 *
 * The last line is always `N passed, N failed`; the exit code is 1 when something failed or nothing ran.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import pc from 'picocolors'

import { coerceError } from '#shared/errors/waggle-error.ts'

import { MIN_LINES_PERCENT, measureCoverage } from './coverage.ts'
import type { FileCoverage } from './coverage.ts'
import { findTestFiles } from './discover.ts'
import { closingLine, renderFailure, tallyOf } from './outcome.ts'
import { runFiles } from './pool.ts'
import type { FileReport } from './pool.ts'
import { provision } from './provision.ts'
import type { Provisioned } from './provision.ts'

const WORKERS = 2
const SLOW = ['e2e']
const NODE_MAJOR = 24
const WORST_SHOWN = 10
const SLOWEST_SHOWN = 5
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const { values: options, positionals: fragments } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    serial: { type: 'boolean', default: false },
    under: { type: 'string', default: 'test' },
    bare: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    grace: { type: 'string', default: '5000' },
  },
})
const inCi = process.env['CI'] === 'true'
const unnamed = fragments.length === 0 && options.under === 'test'
const everything = unnamed && (options.all || inCi)
const withCoverage = options.coverage || (inCi && everything)

process.exitCode = await main()

async function main(): Promise<number> {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    say(`This is Node ${process.versions.node}; Waggle runs on ${NODE_MAJOR}. Use "npm test", which brings its own,`)
    say('or put node_modules/.bin first on PATH. If it is not there: npm ci')
    return 1
  }
  const files = await findTestFiles(ROOT, options.under, fragments, unnamed && !everything ? SLOW : [])
  if (files.length === 0) {
    say(`no test file matches ${fragments.join(' ') || options.under}`)
    say(closingLine({ passed: 0, failed: 0, skipped: 0 }))
    return 1
  }
  const provided = options.bare ? nothing() : await provision((line) => say(pc.dim(line)))
  endOnSignal(provided)
  for (const line of provided.summary) say(`with ${line}`)
  const coverageFolder = withCoverage ? await mkdtemp(join(tmpdir(), 'waggle-coverage-')) : undefined
  try {
    const env = {
      ...process.env,
      ...provided.env,
      ...(coverageFolder === undefined ? {} : { NODE_V8_COVERAGE: coverageFolder }),
    }
    const reports = await runFiles(files, {
      workers: options.serial ? 1 : WORKERS,
      env,
      onReport,
      graceMs: Number(options.grace),
    })
    const tally = tallyOf(reports.flatMap((report) => report.outcomes))
    for (const report of reports) showFailures(report)
    showSkipped(reports)
    if (unnamed && !everything) say(`not run: test/${SLOW.join(', test/')} (npm run test:all)`)
    showSlowest(reports)
    const left = await provided.end()
    if (left.length > 0) say(`ended what tests had left running: ${left.join(', ')}`)
    const covered = coverageFolder === undefined || (await showCoverage(coverageFolder))
    say(`\n${closingLine(tally)}`)
    return tally.failed > 0 || tally.passed === 0 || !covered ? 1 : 0
  } finally {
    if (coverageFolder !== undefined) await rm(coverageFolder, { recursive: true, force: true })
  }
}

function nothing(): Provisioned {
  return { env: {}, summary: [], end: () => Promise.resolve([]) }
}

/** Ctrl-C reaches the workers too, as they are in our process group; servers are not, and are ended here. */
function endOnSignal(provided: Provisioned): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void provided.end().finally(() => process.exit(1))
    })
  }
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

function showSlowest(reports: readonly FileReport[]): void {
  if (!unnamed) return
  const slowest = reports.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST_SHOWN)
  say(`slowest: ${slowest.map(({ file, ms }) => `${shown(file)} ${(ms / 1000).toFixed(1)} s`).join(', ')}`)
}

async function showCoverage(folder: string): Promise<boolean> {
  try {
    const { percent, files } = await measureCoverage(ROOT, folder)
    say(`\nline coverage ${percent} %, bar ${MIN_LINES_PERCENT} %; most lines not covered:`)
    const missed = (file: FileCoverage): number => file.lines - file.covered
    for (const file of files.toSorted((a, b) => missed(b) - missed(a)).slice(0, WORST_SHOWN)) {
      if (missed(file) > 0) say(`  ${missed(file)} of ${file.lines}  ${file.file}`)
    }
    return percent >= MIN_LINES_PERCENT
  } catch (thrown) {
    say(`line coverage could not be measured: ${coerceError(thrown).message}`)
    return false
  }
}

function shown(file: string): string {
  return relative(ROOT, file)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
