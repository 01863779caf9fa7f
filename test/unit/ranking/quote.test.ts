import fc from 'fast-check'

import { checkClaim } from '#shared/ranking/check-claim.ts'
import { quoteFrom } from '#shared/ranking/quote.ts'
import { assert, suite } from '#test/kit/suite.ts'

const canonical = `Refund policy

You can return goods within 30 days of delivery. Refunds are paid to the card you used. Shipping costs 4.95 euros.

Contact

Dr. Ann Smith answers letters. Write to help@example.com, or call before 5 p.m. on Mondays.`
const half = canonical.indexOf('Contact')
const passages = [
  { title: 'Handbook', headings: ['Refunds'], text: canonical.slice(0, half), start: 0 },
  { title: 'Handbook', headings: ['Contact'], text: canonical.slice(half), start: half },
]

suite('quotes', ({ test }) => {
  test('are exact spans of the text their passage was cut from, whatever is asked', () => {
    const word = fc.constantFrom(
      'refund',
      'days',
      'who',
      'when',
      'Ann',
      'letters',
      'cost',
      'the',
      'card',
      '30',
      'zebra',
      '?',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (asked) => {
        const { quotes, coverage, covered } = quoteFrom(asked.join(' '), passages)
        assert.ok(coverage >= 0 && coverage <= 1)
        assert.is(covered, quotes.length > 0)
        for (const { passage, start, end, text } of quotes) {
          assert.is(canonical.slice(start, end), text)
          assert.ok(passages.includes(passage))
          assert.ok(passage.text.includes(text))
        }
      }),
    )
  })
  test('put first the sentence that says most of what was asked', () => {
    const first = (question: string): string => quoteFrom(question, passages).quotes[0]?.text ?? ''
    assert.is(first('How many days do I have to return goods?'), 'You can return goods within 30 days of delivery.')
    assert.is(first('How much does shipping cost?'), 'Shipping costs 4.95 euros.')
    assert.is(first('Who answers letters?'), 'Dr. Ann Smith answers letters.')
  })
  test('are not made of what does not hold the answer', () => {
    for (const question of ['Where can I park my bicycle in Berlin?', 'Which vaccines need two doses?', '', '???'])
      assert.equal(quoteFrom(question, passages).quotes, [], question)
  })
  test('do not say the same thing twice', () => {
    const copies = [...passages, ...passages.map((passage) => ({ ...passage }))]
    const texts = quoteFrom('Within how many days can goods be returned?', copies).quotes.map((quote) => quote.text)
    assert.is(new Set(texts).size, texts.length)
  })
  test('of an endless sentence stop at a word', () => {
    const endless = { title: '', text: `refund ${'and more '.repeat(500)}` }
    const quote = quoteFrom('refund more', [endless]).quotes[0]
    assert.ok(quote !== undefined && quote.text.length <= 600 && /(?:and|more)$/.test(quote.text))
    assert.is(endless.text.slice(quote.start, quote.end), quote.text)
  })
})

suite('a cited claim', ({ test }) => {
  const span = 'You can return goods within 30 days of delivery. Shipping costs 1,250.50 euros.'
  test('is supported by a span that holds its words and numbers', () => {
    assert.ok(checkClaim('Goods can be returned within thirty days of delivery [1].', span).supported)
    assert.ok(checkClaim('Shipping costs 1250.5 euros [1, 2].', span).supported)
  })
  test('is not supported when a number is another one, however many words agree', () => {
    const check = checkClaim('You can return goods within 60 days of delivery.', span)
    assert.equal(check.missingNumbers, ['60'])
    assert.not(check.supported)
  })
  test('is not supported when what is rare in it is missing', () => {
    const idf = (stem: string): number => (stem === 'bicycl' ? 8 : 1)
    assert.not(checkClaim('You can return a bicycle within 30 days of delivery.', span, idf).supported)
    assert.ok(checkClaim('You can return a bicycle within 30 days of delivery.', span).supported)
  })
  test('of no content needs no support', () => {
    assert.ok(checkClaim('It is what it is.', span).supported)
  })
})
