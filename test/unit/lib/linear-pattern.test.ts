import fc from 'fast-check'
import { LinearPattern, PatternRefused, PatternTooCostly } from '#shared/lib/linear-pattern/linear-pattern.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** Patterns out of the pieces the two engines share; no group may match nothing inside a loop, where JavaScript differs. */
const piece = fc.constantFrom(
  'a',
  'b',
  '.',
  '\\d',
  '\\w',
  '[ab]',
  '[^a]',
  '(?:ab)',
  '(?:a|bb)',
  '(b|ba)',
  '\\s',
  '\\b',
  '^',
  '$',
)
const count = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}')
const patterns = fc
  .array(fc.tuple(piece, count), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.map(([what, times]) => (/^(?:\^|\$|\\b)$/.test(what) ? what : what + times)).join(''))
  .chain((left) => fc.constantFrom(left, `${left}|a+b`, `(?:${left})|\\d`))
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'ab', '1', ' ', '_', 'Z', '😀'), maxLength: 24 })

function native(source: string, text: string, flags: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  for (const match of text.matchAll(new RegExp(source, `gu${flags}`)))
    if (match[0] !== '') found.push({ start: match.index, end: match.index + match[0].length })
  return found
}

suite('linear pattern', ({ test }) => {
  test('finds what the engine of JavaScript finds', () => {
    fc.assert(
      fc.property(patterns, texts, fc.boolean(), (source, text, ignoreCase) => {
        const pattern = new LinearPattern(source, { ignoreCase })
        const flags = ignoreCase ? 'i' : ''
        assert.equal(pattern.findAll(text), native(source, text, flags), `${source} on ${JSON.stringify(text)}`)
        assert.is(pattern.test(text), new RegExp(source, `u${flags}`).test(text), source)
      }),
      { numRuns: 3_000 },
    )
  })

  test('reads classes, escapes and properties', () => {
    const cases: [string, string, boolean][] = [
      ['^[A-Z]{2}\\d{4}$', 'AB1234', true],
      ['^[A-Z]{2}\\d{4}$', 'AB123', false],
      ['^[\\w.-]+$', 'a.b-c_9', true],
      ['^[^\\s]+$', 'a b', false],
      ['\\u0041\\x42\\u{43}', 'ABC', true],
      ['^\\p{L}+$', 'žluťoučký', true],
      ['^\\P{L}+$', 'x', false],
      ['a\\.b', 'axb', false],
      ['[\\]\\\\]', '\\', true],
      ['(?<year>\\d{4})', '2026', true],
    ]
    for (const [source, text, expected] of cases)
      assert.is(new LinearPattern(source).test(text), expected, `${source} on ${text}`)
    assert.ok(new LinearPattern('straße', { ignoreCase: true }).test('STRAßE'))
    assert.not(new LinearPattern('[^a]', { ignoreCase: true }).test('A'))
  })

  test('is linear where a backtracking engine is exponential', () => {
    const text = `${'a'.repeat(5_000)}!`
    const begun = performance.now()
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(x+x+)+y', '^(.*)*$b'])
      assert.not(new LinearPattern(source).test(text), source)
    assert.ok(performance.now() - begun < 8_000)
  })

  test('gives up loudly rather than answer late', () => {
    assert.throws(
      () => new LinearPattern('(a?){100}(a?){100}b').findAll('a'.repeat(100_000)),
      (error: unknown) => error instanceof PatternTooCostly,
    )
  })

  test('refuses what cannot be run in linear time, and what is no pattern', () => {
    const bad = ['(a)\\1', '(?=a)', '(?<!a)b', '(?<n>a)\\k<n>', '(', 'a)', '[a', '*a', 'a**', 'a{3,1}', 'a{1000}', '\\']
    for (const source of [...bad, 'a{', '[z-a]', '\\q', '\\p{Nope}', '\\u{110000}', 'a'.repeat(501), '(a{100}){100}'])
      assert.throws(
        () => new LinearPattern(source),
        (error: unknown) => error instanceof PatternRefused,
        source,
      )
    assert.throws(() => new LinearPattern('('.repeat(50) + ')'.repeat(50)))
  })
})
