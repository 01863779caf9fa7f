import { storableJson, storableText } from '#shared/db/storable.ts'
import { assert, suite } from '#test/kit/suite.ts'

suite('storable', ({ test }) => {
  test('leaves ordinary text alone, whatever its script', () => {
    for (const text of ['', 'plain', 'ünïcödé 🐝 漢字', 'line\nbreak\ttab', '\u0001\u001f'])
      assert.is(storableText(text), text)
  })

  test('replaces what PostgreSQL cannot hold, and nothing else', () => {
    assert.is(storableText('a\0b\0'), 'a\uFFFDb\uFFFD')
    assert.is(storableText('half \uD83D pair, whole 🐝'), 'half \uFFFD pair, whole 🐝')
  })

  test('does the same deep in JSON, names of members included', () => {
    const json = storableJson({ 'a\0': ['x\0', { b: '\uDC00' }], n: 1, none: null, gone: undefined })
    assert.not.match(json, /\\u0000|\\ud[89a-f]/i)
    assert.equal(JSON.parse(json), { 'a\uFFFD': ['x\uFFFD', { b: '\uFFFD' }], n: 1, none: null })
    assert.is(storableJson(undefined), 'null')
    for (const kept of ['\\u0000', '\\\\u0000', '\u001F', '\\uD800', '🐝'])
      assert.is(JSON.parse(storableJson(kept)), kept)
    assert.is(JSON.parse(storableJson('\\\0')), '\\\uFFFD')
  })
})
