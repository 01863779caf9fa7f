import { languageOf } from '#shared/text/language.ts'
import { countTokens } from '#shared/text/tokens.ts'
import { readWords } from '#shared/text/words.ts'
import { assert, suite } from '#test/kit/suite.ts'

suite('language of a text', ({ test }) => {
  test('is told from a sentence or two', () => {
    assert.is(languageOf('The customer can send the goods back within thirty days of delivery.'), 'en')
    assert.is(languageOf('Der Kunde kann die Ware innerhalb von dreißig Tagen zurückschicken.'), 'de')
    assert.is(languageOf('Le client peut renvoyer la marchandise dans les trente jours suivant la livraison.'), 'fr')
    assert.is(languageOf('これは日本語の文章です。とても短いですが、分かりますか。返品できます。'), 'ja')
  })
  test('is not guessed from too little', () => {
    assert.is(languageOf('Order 1042'), '')
    assert.is(languageOf('12 345 678 90 12 345 678 90 12 345'), '')
  })
})

suite('words', ({ test }) => {
  test('of a document are all read, however long it is', () => {
    const text = 'word '.repeat(10_000)
    assert.is(readWords(text).length, 10_000)
    assert.is(readWords(text).at(-1)?.start, 49_995)
  })
})

suite('tokens', ({ test }) => {
  test('of a long text are scaled from its start', () => {
    const line = 'Send the goods back within thirty days. '
    const one = countTokens(line.repeat(100)) / 100
    assert.ok(Math.abs(countTokens(line.repeat(10_000)) / 10_000 - one) < 0.02)
  })
})
