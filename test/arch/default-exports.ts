/** No default exports: a thing has one name, the same wherever it is imported. */
import type { Problem, Report } from './report.ts'
import { lineAt, readSources } from './repository.ts'

/** Vite reads its configuration from a default export. */
const ALLOWED = new Set(['gateway/console/vite.config.ts'])
const DEFAULT = /^export (?:default\b|\{[^}]*\bas default\b)/gm

export async function checkDefaultExports(root: string): Promise<Report> {
  const problems: Problem[] = []
  for (const { path, text } of await readSources(root, '.ts', '.tsx')) {
    if (ALLOWED.has(path)) continue
    for (const match of text.matchAll(DEFAULT)) {
      problems.push({ where: `${path}:${lineAt(text, match.index)}`, what: 'a default export' })
    }
  }
  return { problems }
}
