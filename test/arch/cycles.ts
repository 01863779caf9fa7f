/** Finds files that import each other in a circle, at run time. Which of them is evaluated first then depends on who asks. */
import { importsOf } from './imports.ts'
import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'

export async function checkCycles(root: string): Promise<Report> {
  const edges = new Map<string, string[]>()
  for (const source of await readSources(root, '.ts', '.tsx')) {
    const targets = importsOf(source).flatMap(({ target, typeOnly }) =>
      target === undefined || typeOnly ? [] : [target],
    )
    edges.set(source.path, targets)
  }

  const problems: Problem[] = []
  const finished = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (finished.has(file)) return
    const start = path.indexOf(file)
    if (start >= 0) {
      problems.push({ where: file, what: `imports itself through ${[...path.slice(start + 1), file].join(' -> ')}` })
      return
    }
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    finished.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  return { problems }
}
