/** Format, lint and types: every rule that is switched on is seen to fail on a file named after it. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { assert, suite } from '#test/kit/suite.ts'

import { lines, offender, plant } from './plant.ts'
import { checkFormat, checkLint, checkTypes } from './tools.ts'

suite('format, lint and types', ({ test }) => {
  test('formatting: a file out of form', async () => {
    const text = lines((await checkFormat(await plant('format'), 'shared')).problems).join('\n')
    assert.match(text, 'shared/ugly.ts')
  })

  test('lint: each rule of the settings has an offender, and reports it', async () => {
    const settings = JSON.parse(await readFile('.oxlintrc.json', 'utf8')) as { rules: Record<string, string> }
    const text = lines((await checkLint(await plant('lint'))).problems).join('\n')
    const offenders = await readdir(join(offender('lint'), 'shared'))
    for (const [rule, level] of Object.entries(settings.rules)) {
      const name = rule.split('/').at(-1) ?? rule
      assert.is(level, 'error', rule)
      assert.ok(offenders.includes(`${name}.ts`), `there is no offender for ${rule}`)
      assert.match(text, new RegExp(`shared/${name}\\.ts:.*\\(${name}\\)`), `${rule} was not reported`)
    }
  })

  test('types: of the program and of the console', async () => {
    const text = lines((await checkTypes(await plant('types'))).problems).join('\n')
    assert.match(text, /shared\/wrong\.ts.*TS2322/)
    assert.match(text, /shared\/unchecked-index\.ts.*TS2322/)
    assert.match(text, /wrong-in-browser\.ts.*TS2322/)
  })
})
