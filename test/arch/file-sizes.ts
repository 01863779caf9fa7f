/** Small files: one thing per file, found by its name. */
import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'

const MAX_LINES = 600
const MAX_MEDIAN_LINES = 150
const MAX_P90_LINES = 400

export async function checkFileSizes(root: string): Promise<Report> {
  const sources = await readSources(root, '.ts', '.tsx')
  const sizes = sources.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
  const problems: Problem[] = sizes
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => ({ where: path, what: `${lines} lines, more than ${MAX_LINES}` }))
  const sorted = sizes.map(({ lines }) => lines).toSorted((a, b) => a - b)
  const [median, p90] = [quantile(sorted, 0.5), quantile(sorted, 0.9)]
  if (median > MAX_MEDIAN_LINES) problems.push({ where: '.', what: `median ${median} lines, over ${MAX_MEDIAN_LINES}` })
  if (p90 > MAX_P90_LINES) problems.push({ where: '.', what: `90th percentile ${p90} lines, over ${MAX_P90_LINES}` })
  return {
    problems,
    note: `${sizes.length} files, median ${median} lines, 90th percentile ${p90}, longest ${sorted.at(-1) ?? 0}`,
  }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}
