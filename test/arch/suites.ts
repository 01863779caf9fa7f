/** Every test file goes through the one wrapper, or its hangs, leaks and lost errors pass for green. */
import { importsOf } from './imports.ts'
import type { Report } from './report.ts'
import { readSources } from './repository.ts'

const WRAPPER = 'test/kit/suite.ts'
/** Test files of the runner's own tests, which misbehave on purpose. */
const FIXTURES = 'test/kit/fixtures/'

export async function checkSuites(root: string): Promise<Report> {
  const tests = (await readSources(root, '.test.ts')).filter(({ path }) => !path.startsWith(FIXTURES))
  const problems = tests
    .filter((source) => !importsOf(source).some(({ target }) => target === WRAPPER))
    .map(({ path }) => ({ where: path, what: `does not import ${WRAPPER}` }))
  for (const { path, text } of tests) {
    if (!path.startsWith('test/')) problems.push({ where: path, what: 'a test file outside of test/ is never run' })
    if (!/\bsuite\(/.test(text)) problems.push({ where: path, what: 'declares no suite' })
  }
  return { problems, note: `${tests.length} test files` }
}
