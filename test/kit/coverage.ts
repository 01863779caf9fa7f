/**
 * Line coverage of the product, from what V8 wrote in every process of a run; a gate in CI.
 *
 * Only lines that hold code count: V8 calls a comment inside a function that ran covered, and a file of nothing but
 * interfaces, which no process ever loads, uncovered. Both would say something about style and nothing about tests.
 */
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join, relative } from 'node:path'

import { runCommand } from '#deploy/provision/command.ts'

export const MIN_LINES_PERCENT = 80
const REPORT_TIMEOUT_MS = 180_000
/** What is measured. The console runs in a browser and is tested there. */
const MEASURED = ['shared/**/*.ts', 'services/**/*.ts', 'gateway/**/*.ts']
const NOT_MEASURED = ['gateway/console/**', '**/*.test.ts']

export interface FileCoverage {
  readonly file: string
  readonly lines: number
  readonly covered: number
}

export interface Coverage {
  readonly percent: number
  readonly files: readonly FileCoverage[]
}

/** `folder` is where NODE_V8_COVERAGE pointed to. Files that no test loads count as not covered. */
export async function measureCoverage(root: string, folder: string): Promise<Coverage> {
  const output = join(folder, 'report')
  const args = ['report', '--temp-directory', folder, '--all', '--reporter', 'json', '--reports-dir', output]
  for (const pattern of MEASURED) args.push('--include', pattern)
  for (const pattern of NOT_MEASURED) args.push('--exclude', pattern)
  const { ok, problem } = await runCommand(join(root, 'node_modules', '.bin', 'c8'), args, {
    timeoutMs: REPORT_TIMEOUT_MS,
    cwd: root,
  })
  if (!ok) throw new Error(`c8: ${problem}`)
  const report = JSON.parse(await readFile(join(output, 'coverage-final.json'), 'utf8')) as IstanbulReport
  const files = await Promise.all(Object.values(report).map((entry) => fileCoverage(root, entry)))
  const lines = files.reduce((sum, file) => sum + file.lines, 0)
  const covered = files.reduce((sum, file) => sum + file.covered, 0)
  return { percent: percentOf(covered, lines), files }
}

/** Rounded down, so that a bar is never reached by rounding. */
export function percentOf(covered: number, lines: number): number {
  return lines === 0 ? 100 : Math.floor((covered / lines) * 1000) / 10
}

/** The numbers of the lines (from 1) of a TypeScript source that hold code once types and comments are gone. */
export function codeLines(source: string): Set<number> {
  const found = new Set<number>()
  let inComment = false
  for (const [index, line] of stripTypeScriptTypes(source).split('\n').entries()) {
    let text = line.trim()
    if (!inComment && text.startsWith('/*')) inComment = true
    if (inComment) {
      const end = text.indexOf('*/')
      if (end < 0) continue
      inComment = false
      text = text.slice(end + 2).trim()
    }
    if (text !== '' && !text.startsWith('//')) found.add(index + 1)
  }
  return found
}

/** The part of istanbul's report that is read: one statement per line, with how often it ran. */
type IstanbulReport = Readonly<Record<string, IstanbulFile>>

interface IstanbulFile {
  readonly path: string
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>
  readonly s: Readonly<Record<string, number>>
}

async function fileCoverage(root: string, entry: IstanbulFile): Promise<FileCoverage> {
  const code = codeLines(await readFile(entry.path, 'utf8'))
  let covered = 0
  for (const [id, statement] of Object.entries(entry.statementMap)) {
    if (code.has(statement.start.line) && (entry.s[id] ?? 0) > 0) covered += 1
  }
  return { file: relative(root, entry.path), lines: code.size, covered }
}
