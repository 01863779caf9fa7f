/** The import rule: each planted offender is found for its own reason, and each row of the table can fail. */
import { assert, suite } from '#test/kit/suite.ts'

import { checkCycles } from './cycles.ts'
import { checkImports, importProblem } from './import-rule.ts'
import { HOMES, MAY_IMPORT } from './import-rules.ts'
import { importsOf } from './imports.ts'
import { lines, offender } from './plant.ts'

const EXPECTED = [
  'gateway/cli/deploy.ts:1: gateway/cli may not import deploy/embedded',
  'gateway/client/built-in.ts:1: "node:fs/promises" does not exist in a browser',
  'gateway/console/src/value.ts:1: gateway/console may import only types of shared/contracts',
  'gateway/http/database.ts:1: gateway may not import shared/db',
  'gateway/http/service.ts:1: gateway may not import services/agents',
  'services/agents/other-role-lazily.ts:1: services/agents may not import services/tools',
  'services/agents/other-role.ts:1: services/agents may not import services/tools',
  'shared/actor/imports-test.ts:1: shared/actor may not import test/kit',
  'shared/actor/names-adapter.ts:1: shared/actor may not import shared/nats',
  'shared/attic/no-rule.ts:1: shared/attic is not in the table of import rules',
  'shared/lib/no-ending.ts:1: "./clock" lacks its file ending',
  'shared/lib/no-home.ts:1: "left-pad" has no home in the table of import rules',
  'shared/lib/not-its-home.ts:1: "nats" belongs to shared/nats, deploy',
  'shared/lib/upwards-type.ts:1: shared/lib may not import shared/errors',
  'shared/lib/upwards.ts:1: shared/lib may not import shared/errors',
  'shared/wire/absolute-in.ts:1: "#shared/wire/codec.ts" is in the same folder: import it relatively',
  'shared/wire/relative-out.ts:1: "../lib/ids.ts" leaves shared/wire: import it as "#shared/lib/ids.ts"',
  'test/unit/raw-uvu.ts:1: "uvu" belongs to test/kit/suite.ts',
]

/** A file of a folder: below the folder's unit, so that it belongs to the row and to no other. */
const fileIn = (folder: string): string => (folder.includes('/') ? `${folder}/some.ts` : `${folder}/made-up/some.ts`)

function problemOf(from: string, specifier: string): string | undefined {
  const [found] = importsOf({ path: from, text: `import { some } from '${specifier}'\n` })
  assert.ok(found, specifier)
  return importProblem(found!)
}

suite('import rule', ({ test }) => {
  test('finds each planted offender, and for its own reason', async () => {
    const { problems } = await checkImports(offender('imports'))
    assert.equal(lines(problems), EXPECTED)
  })

  test('refuses every pair of folders that the table does not allow, and no other', () => {
    const folders = Object.keys(MAY_IMPORT)
    let refused = 0
    for (const from of folders) {
      for (const to of folders) {
        if (from === to) continue
        const allowed = MAY_IMPORT[from]?.some((folder) => to === folder || to.startsWith(`${folder}/`)) ?? false
        const target = to.includes('/') ? `${to}/other.ts` : `${to}/another/other.ts`
        const problem = problemOf(fileIn(from), `#${target}`)
        if (from === 'gateway/console' && to === 'shared/contracts') assert.match(problem ?? '', 'only types')
        else assert.is(problem === undefined, allowed, `${from} -> ${to}: ${problem}`)
        if (!allowed) refused += 1
      }
    }
    assert.ok(refused > folders.length, `only ${refused} pairs are refused`)
  })

  test('keeps each outside package in its home', () => {
    for (const [name, homes] of Object.entries(HOMES)) {
      const specifier = name.replace('/*', '/some')
      assert.match(
        problemOf('shared/made-up/some.ts', specifier) ?? 'in shared',
        homes.includes('shared') ? 'in shared' : 'belongs to',
      )
      for (const home of homes) {
        assert.is(
          problemOf(home.endsWith('.ts') ? home : `${home}/some.ts`, specifier),
          undefined,
          `${name} in ${home}`,
        )
      }
    }
  })

  test('points down only: no folder reaches itself', () => {
    const reach = (folder: string, seen: readonly string[]): void => {
      assert.not.ok(seen.includes(folder), `${[...seen, folder].join(' -> ')}`)
      for (const next of MAY_IMPORT[folder] ?? []) if (next !== folder) reach(next, [...seen, folder])
    }
    for (const folder of Object.keys(MAY_IMPORT)) reach(folder, [])
  })

  test('reads imports over several lines, bare, lazy and of types, and none out of comments', () => {
    const text = [
      "import type { A } from './a.ts'",
      'import {',
      '  b,',
      '  c,',
      "} from '#shared/lib/b.ts'",
      "export * from './d.ts'",
      "import './e.ts'",
      'const f = async () => (await import(',
      "const g = await import('./g.ts')",
      "// import { h } from './h.ts'",
      " * await import('./i.ts')",
      "const text = `from './j.ts'`",
    ].join('\n')
    const found = importsOf({ path: 'shared/x/y.ts', text })
    assert.equal(
      found.map(({ target, line, typeOnly }) => [target, line, typeOnly]),
      [
        ['shared/x/a.ts', 1, true],
        ['shared/lib/b.ts', 2, false],
        ['shared/x/d.ts', 6, false],
        ['shared/x/e.ts', 7, false],
        ['shared/x/g.ts', 9, false],
      ],
    )
  })
})

suite('cycles', ({ test }) => {
  test('are found at run time, and types do not make one', async () => {
    const { problems } = await checkCycles(offender('cycles'))
    assert.equal(lines(problems), ['shared/lib/one.ts: imports itself through shared/lib/two.ts -> shared/lib/one.ts'])
  })
})
