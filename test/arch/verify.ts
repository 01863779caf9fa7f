/**
 * `npm run verify`: everything that can be said about the repository without running it. The same on a laptop and in CI.
 * `node test/arch/verify.ts NAME…` makes only the named checks.
 */
import pc from 'picocolors'

import { coerceError } from '#shared/errors/waggle-error.ts'

import { checkCycles } from './cycles.ts'
import { checkDefaultExports } from './default-exports.ts'
import { checkDocuments } from './documents.ts'
import { checkErrorCatalogue } from './error-catalogue.ts'
import { checkFileSizes } from './file-sizes.ts'
import { checkImports } from './import-rule.ts'
import { checkMachinePaths } from './machine-paths.ts'
import type { Check, Report } from './report.ts'
import { checkSpokenEvents } from './spoken-events.ts'
import { checkSuites } from './suites.ts'
import { checkFormat, checkLint, checkTypes } from './tools.ts'

const CHECKS: Readonly<Record<string, Check>> = {
  format: (root) => checkFormat(root),
  lint: (root) => checkLint(root),
  types: checkTypes,
  imports: checkImports,
  cycles: checkCycles,
  'default-exports': checkDefaultExports,
  documents: checkDocuments,
  'file-sizes': checkFileSizes,
  'spoken-events': checkSpokenEvents,
  suites: checkSuites,
  errors: (root) => checkErrorCatalogue(root),
  'machine-paths': checkMachinePaths,
}

const ROOT = process.cwd()

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !(name in CHECKS))
  if (unknown.length > 0) {
    say(`no check is called ${unknown.join(', ')}; there are ${Object.keys(CHECKS).join(', ')}`)
    return 1
  }
  let failed = 0
  for (const [name, check] of Object.entries(CHECKS)) {
    if (names.length > 0 && !names.includes(name)) continue
    const begun = performance.now()
    const { problems, note } = await made(check)
    const ms = Math.round(performance.now() - begun)
    say(`${problems.length === 0 ? pc.green('•') : pc.red('✘')} ${name}  ${pc.dim(`${note ?? ''} ${ms} ms`.trim())}`)
    for (const { where, what } of problems) say(`    ${where}: ${what.replaceAll('\n', '\n    ')}`)
    if (problems.length > 0) failed += 1
  }
  say(failed === 0 ? 'verified' : `${failed} ${failed === 1 ? 'check' : 'checks'} failed`)
  return failed === 0 ? 0 : 1
}

async function made(check: Check): Promise<Report> {
  try {
    return await check(ROOT)
  } catch (thrown) {
    return { problems: [{ where: 'the check itself', what: coerceError(thrown).stack ?? '' }] }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
