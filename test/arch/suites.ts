/**
 * Every test file goes through the one wrapper, or its hangs, leaks and lost errors pass for green: by itself, or through
 * a contract suite that it calls with an adapter.
 */
import { importsOf } from './imports.ts'
import type { Problem, Report } from './report.ts'
import { readSources } from './repository.ts'

const WRAPPER = 'test/kit/suite.ts'
/** Test files of the runner's own tests, which misbehave on purpose. */
const FIXTURES = 'test/kit/fixtures/'

export async function checkSuites(root: string): Promise<Report> {
  const sources = new Map((await readSources(root, '.ts')).map((source) => [source.path, source]))
  const declares = (path: string, seen: Set<string>): boolean => {
    const source = sources.get(path)
    if (source === undefined || path === WRAPPER || seen.has(path)) return false
    seen.add(path)
    const imports = importsOf(source).flatMap(({ target, typeOnly }) =>
      target === undefined || typeOnly ? [] : [target],
    )
    if (imports.includes(WRAPPER) && /\bsuite\(/.test(source.text)) return true
    return imports.some((target) => target.startsWith('test/') && declares(target, seen))
  }

  const tests = [...sources.keys()].filter((path) => path.endsWith('.test.ts') && !path.startsWith(FIXTURES))
  const problems: Problem[] = []
  for (const path of tests) {
    if (!path.startsWith('test/')) problems.push({ where: path, what: 'a test file outside of test/ is never run' })
    else if (!declares(path, new Set())) problems.push({ where: path, what: `declares no suite of ${WRAPPER}` })
  }
  return { problems, note: `${tests.length} test files` }
}
