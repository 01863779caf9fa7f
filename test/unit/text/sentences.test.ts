import fc from 'fast-check'

import { splitSentences } from '#shared/text/sentences.ts'
import { assert, suite } from '#test/kit/suite.ts'

const split = (text: string): string[] => splitSentences(text).map((one) => one.text)

suite('sentences', ({ test }) => {
  test('are spans of their text, in order, and leave out nothing but white space', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom(
        'Dr. ',
        'e.g. ',
        '3.14',
        '.',
        '?!',
        '。',
        '\n',
        '\n\n',
        '- ',
        '1. ',
        '”',
        ' The ',
        ' x',
        '…',
        '\r\n',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        let from = 0
        for (const { text: said, start, end } of splitSentences(text)) {
          assert.is(text.slice(start, end), said)
          assert.is(text.slice(from, start).trim(), '')
          assert.is(said, said.trim())
          assert.ok(said !== '')
          from = end
        }
        assert.is(text.slice(from).trim(), '')
      }),
    )
  })
  test('do not end at titles, initials, abbreviations, decimals, versions and hosts', () => {
    for (const whole of [
      'Prof. Ann B. Smith paid $3.50 at example.com in v1.2.3 today.',
      'See e.g. the third one, i.e. that of Fig. 3 in vol. 2, No. 7.',
      'The firm of Smith Bros. was sold by Acme Inc. for much.',
      'He said “Never!” and left.',
      'It rained ca. 20 mm between 9 a.m. and 5 p.m. on Monday.',
    ])
      assert.equal(split(whole), [whole])
  })
  test('end where an abbreviation is followed by what opens a sentence', () => {
    assert.equal(split('It was sold to Acme Inc. The price is secret.'), [
      'It was sold to Acme Inc.',
      'The price is secret.',
    ])
    assert.equal(split('They left the U.S. In May they were back.'), ['They left the U.S.', 'In May they were back.'])
    assert.equal(split('Take vitamin C. It helps.'), ['Take vitamin C.', 'It helps.'])
    assert.equal(split('May we? No. Never.'), ['May we?', 'No.', 'Never.'])
  })
  test('go on over a wrapped line and end at list items, headings and table rows', () => {
    assert.equal(split('A line that was broken by the margin of its page and not\nBy its author. Next.').length, 2)
    assert.equal(split('Things to bring:\n- Bread\n- Butter, salted\n2. Milk'), [
      'Things to bring:',
      '- Bread',
      '- Butter, salted',
      '2. Milk',
    ])
    assert.equal(split('Refunds\nWe pay back within 14 days'), ['Refunds', 'We pay back within 14 days'])
    assert.equal(split('| a | b |\n| c | d |'), ['| a | b |', '| c | d |'])
  })
  test('of scripts with wide stops need no space', () => {
    assert.equal(split('これは文です。次の文です。'), ['これは文です。', '次の文です。'])
  })
  test('cost time in proportion to the text, also in a hostile one', () => {
    for (const hostile of ['.', '\n', '.)', 'A. ', '. \n', '?”']) {
      const text = hostile.repeat(200_000)
      const start = process.cpuUsage().user
      splitSentences(text)
      // Quadratic reading of 200,000 marks takes minutes.
      assert.ok(process.cpuUsage().user - start < 4_000_000, JSON.stringify(hostile))
    }
  })
})
