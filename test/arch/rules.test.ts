/** The rules that are ours: each is seen to fail on what it forbids, and to let the rest be. */
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import type { ErrorEntry } from '#shared/errors/catalogue.ts'
import { errorsPage } from '#shared/errors/errors-page.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { checkDefaultExports } from './default-exports.ts'
import { checkErrorCatalogue } from './error-catalogue.ts'
import { checkFileSizes } from './file-sizes.ts'
import { checkMachinePaths } from './machine-paths.ts'
import { lines, offender, plantFiles } from './plant.ts'
import { checkSpokenEvents } from './spoken-events.ts'
import { checkSuites } from './suites.ts'

const linesOf = (count: number): string => 'export {}\n'.repeat(count)

suite('rules of the repository', ({ test }) => {
  test('default exports: declared and renamed', async () => {
    const { problems } = await checkDefaultExports(offender('default-exports'))
    assert.equal(
      problems.map(({ where }) => where),
      ['shared/declared.ts:1', 'shared/renamed.ts:2'],
    )
  })

  test('test files: without the wrapper, without a suite, where nobody looks', async () => {
    const { problems } = await checkSuites(offender('suites'))
    assert.equal(lines(problems), [
      'shared/wire/misplaced.test.ts: a test file outside of test/ is never run',
      'test/unit/empty.test.ts: declares no suite of test/kit/suite.ts',
      'test/unit/raw.test.ts: declares no suite of test/kit/suite.ts',
    ])
  })

  test('events of services that bring an audience of their own', async () => {
    const { problems } = await checkSpokenEvents(offender('spoken-events'))
    assert.equal(lines(problems), ['services/agents/leak.ts:2: an event with an audience of its own'])
  })

  test('file sizes: one file too long, though most are short', async () => {
    const files: Record<string, string> = { 'shared/long.ts': linesOf(601), 'shared/longest-allowed.ts': linesOf(600) }
    for (let index = 0; index < 30; index += 1) files[`shared/short-${index}.ts`] = linesOf(10)
    const { problems, note } = await checkFileSizes(await plantFiles(files))
    assert.equal(lines(problems), ['shared/long.ts: 601 lines, more than 600'])
    assert.match(note ?? '', 'median 10')
  })

  test('file sizes: most files too long, though none is the longest', async () => {
    const files: Record<string, string> = {}
    for (let index = 0; index < 8; index += 1) files[`shared/middling-${index}.ts`] = linesOf(151)
    files['shared/large.ts'] = linesOf(500)
    files['shared/larger.ts'] = linesOf(599)
    const { problems } = await checkFileSizes(await plantFiles(files))
    assert.equal(lines(problems), ['.: median 151 lines, over 150', '.: 90th percentile 599 lines, over 400'])
  })

  test('machine paths and registries, also in documents and the lock file', async () => {
    // In pieces, as this file is looked at too.
    const home = ['', 'home', 'somebody', 'waggle'].join('/')
    const registry = ['https:/', '/registry.example.org', '/ulid.tgz'].join('')
    const root = await plantFiles({
      'README.md': `# Setup\n\ncd ${home}\n`,
      'shared/a.ts': `export const good = 'https://example.org/work/it'\nexport const bad = '${home}/x'\n`,
      'package-lock.json': `{\n  "resolved": "${registry}"\n}\n`,
      '.npmrc': `registry=${registry}\n`,
    })
    const { problems } = await checkMachinePaths(root)
    assert.equal(
      problems.map(({ where, what }) => `${where} ${what.split(':')[0]}`),
      [
        '.npmrc:1 the address of a package registry',
        'README.md:3 a path of one machine',
        'package-lock.json:2 the address of a package registry',
        'package-lock.json:2 a download address in the lock file',
        'shared/a.ts:2 a path of one machine',
      ],
    )
  })
})

suite('error catalogue', ({ test }) => {
  const catalogue: Readonly<Record<string, ErrorEntry>> = {
    BAD_INPUT: CATALOGUE.BAD_INPUT,
    CONFLICT: CATALOGUE.CONFLICT,
  }
  const used = "throw new WaggleError('BAD_INPUT')\nthrow refuse('CONFLICT')\n"
  const page = 'shared/errors/ERRORS.md'

  test('agrees with its page and the code', async () => {
    const root = await plantFiles({ [page]: errorsPage(catalogue), 'shared/wire/a.ts': used })
    assert.equal(lines((await checkErrorCatalogue(root, catalogue)).problems), [])
  })

  test('has a code its page lacks, and the page one that is no code', async () => {
    const other = { BAD_INPUT: CATALOGUE.BAD_INPUT, BAD_NAME: CATALOGUE.BAD_NAME }
    const root = await plantFiles({ [page]: errorsPage(other), 'shared/wire/a.ts': used })
    assert.equal(lines((await checkErrorCatalogue(root, catalogue)).problems), [
      `${page}: lacks CONFLICT`,
      `${page}: names BAD_NAME, which is no code`,
    ])
  })

  test('has a page that says something else', async () => {
    const changed = errorsPage(catalogue).replace('| 400 |', '| 422 |')
    const root = await plantFiles({ [page]: changed, 'shared/wire/a.ts': used })
    assert.match(lines((await checkErrorCatalogue(root, catalogue)).problems).join(), 'is not what')
  })

  test('has a code that only tests and the catalogue itself say', async () => {
    const root = await plantFiles({
      [page]: errorsPage(catalogue),
      'shared/wire/a.ts': "throw new WaggleError('BAD_INPUT')\n",
      'shared/errors/catalogue.ts': used,
      'test/unit/a.test.ts': used,
    })
    assert.equal(lines((await checkErrorCatalogue(root, catalogue)).problems), [
      'shared/errors/catalogue.ts: CONFLICT is said nowhere',
    ])
  })
})
