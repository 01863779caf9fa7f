import { codeLines, percentOf } from './coverage.ts'
import { assert, suite } from './suite.ts'

suite('code lines', ({ test }) => {
  test('leave out comments, blank lines and types', () => {
    const source = [
      '/** What it is.',
      ' * More of it. */',
      "import type { A } from './a.ts'",
      '',
      'interface B {',
      '  readonly c: string',
      '}',
      'export const d: B = {', // 8
      '  // why',
      "  c: 'x', // 10",
      '}', // 11
      'type E = string | number',
    ].join('\n')
    assert.equal([...codeLines(source)], [8, 10, 11])
  })

  test('are none in a file of interfaces', () => {
    assert.is(codeLines('export interface A {\n  b(): void\n}\n').size, 0)
  })

  test('do not reach a bar by rounding', () => {
    assert.is(percentOf(7999, 10_000), 79.9)
    assert.is(percentOf(0, 0), 100)
  })
})
