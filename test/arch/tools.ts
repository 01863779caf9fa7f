/** The checks other programs make: format, lint with types, types. Each takes the paths it should look at. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

import { runCommand } from '#deploy/provision/command.ts'

import type { Report } from './report.ts'

const TOOL_TIMEOUT_MS = 300_000
const SHOWN_LINES = 100

export function checkFormat(root: string, ...paths: readonly string[]): Promise<Report> {
  return tool(root, 'oxfmt', ['--check', ...paths])
}

export function checkLint(root: string, ...paths: readonly string[]): Promise<Report> {
  return tool(root, 'oxlint', ['--type-aware', '--deny-warnings', '--format=unix', ...paths])
}

/** The whole program, and the console with its own settings, as that is compiled for a browser. */
export async function checkTypes(root: string): Promise<Report> {
  const projects = ['tsconfig.json', join('gateway', 'console', 'tsconfig.json')]
  const reports: Report[] = []
  for (const project of projects) {
    const exists = await access(join(root, project)).then(
      () => true,
      () => false,
    )
    if (exists) reports.push(await tool(root, 'tsc', ['--noEmit', '--pretty', 'false', '-p', project]))
  }
  return { problems: reports.flatMap(({ problems }) => problems), note: `${reports.length} projects` }
}

/** The tools are the repository's own, also when `root` is an offender without any. */
async function tool(root: string, program: string, args: readonly string[]): Promise<Report> {
  const bin = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', program)
  const { ok, stdout, problem } = await runCommand(bin, args, { timeoutMs: TOOL_TIMEOUT_MS, cwd: root })
  if (ok) return { problems: [] }
  const lines = stripVTControlCharacters(stdout).trim().split('\n')
  const shown =
    lines.length > SHOWN_LINES
      ? [...lines.slice(0, SHOWN_LINES), `… and ${lines.length - SHOWN_LINES} more lines`]
      : lines
  return { problems: [{ where: `${program} ${args.join(' ')}`, what: shown.join('\n') || problem }] }
}
