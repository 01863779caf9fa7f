import fc from 'fast-check'
import { MAX_PIECE_CHARS, SentenceSplitter } from '#shared/graph/output-guards/sentence-splitter.ts'
import { assert, suite } from '#test/kit/suite.ts'

function split(...pieces: string[]): string[] {
  const splitter = new SentenceSplitter()
  const found = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  return rest === null ? found : [...found, rest]
}

suite('sentence splitter', ({ test }) => {
  test('ends at marks, line breaks and where a script needs no space', () => {
    assert.equal(split('It is on its way. It arrives on Friday! Anything else?'), [
      'It is on its way. ',
      'It arrives on Friday! ',
      'Anything else?',
    ])
    assert.equal(split('One\n\n- two\n- three'), ['One\n\n', '- two\n', '- three'])
    assert.equal(split('您的订单在路上。明天到达。'), ['您的订单在路上。', '明天到达。'])
    assert.equal(split('He said "Stop." Then (so it was.) He left…  Gone.'), [
      'He said "Stop." ',
      'Then (so it was.) ',
      'He left…  ',
      'Gone.',
    ])
  })

  test('does not end at abbreviations, initials, decimals or list numbers', () => {
    for (const text of [
      'Dr. J. Smith paid 3.50 EUR, e.g. for No. 12, approx. 5 kg.',
      'See example.com/a.b?c=d. ',
      '1. Open the app. ',
    ])
      assert.equal(split(text), [text], text)
    assert.equal(split('1. Open it.\n2. Close it.'), ['1. Open it.\n', '2. Close it.'])
  })

  test('a block of code or a key stays in one piece', () => {
    const code = 'Look:\n```\na. b\n\nc! d\n```\n'
    assert.equal(split(`${code}Done. Bye.`), ['Look:\n', code.slice(6), 'Done. ', 'Bye.'])
    const key = '-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY-----\n'
    assert.equal(split(`Key: ${key}End.`), ['Key: ', key, 'End.'])
  })

  test('a piece that never ends is cut at a space, inside no pair', () => {
    const pieces = split('word '.repeat(1_000))
    assert.ok(pieces.every((piece) => piece.length <= MAX_PIECE_CHARS && piece.endsWith(' ')))
    assert.ok(split('😀'.repeat(5_000)).every((piece) => piece.isWellFormed()))
  })

  test('loses nothing and cuts the same however the text comes', () => {
    const parts = [
      'Hello',
      ' world',
      '. ',
      '! ',
      '\n',
      '\n\n',
      'Dr. ',
      '3.5',
      '1. ',
      '```',
      '`',
      '。',
      '"',
      ') ',
      'e.g. ',
      '-----BEGIN X-----',
      '-----END X-----',
      '…',
      '😀',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 30 }), (chosen) => {
        const text = chosen.join('')
        const whole = split(text)
        assert.is(whole.join(''), text)
        const bySplit = split(...Array.from(text))
        assert.is(bySplit.join(''), text)
        assert.equal(bySplit, whole, JSON.stringify(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('costs little whatever comes', () => {
    for (const unit of ['. ', 'a.', '\n', '```', '-----BEGIN ', '!', '。', 'x']) {
      const begun = performance.now()
      const splitter = new SentenceSplitter()
      for (let sent = 0; sent < 16_000; sent += 16) splitter.push(unit.repeat(16 / unit.length + 1))
      assert.ok(performance.now() - begun < 3_000, unit)
    }
  })
})
