import { bannedTerms } from '#shared/lib/patterns/banned-terms.ts'
import { email } from '#shared/lib/patterns/email.ts'
import { foldText, FoldedText } from '#shared/lib/patterns/fold.ts'
import { hiddenText } from '#shared/lib/patterns/hidden-text.ts'
import { iban } from '#shared/lib/patterns/iban.ts'
import { ipAddress } from '#shared/lib/patterns/ip-address.ts'
import { luhn, paymentCard } from '#shared/lib/patterns/payment-card.ts'
import { phone } from '#shared/lib/patterns/phone.ts'
import { secret } from '#shared/lib/patterns/secret.ts'
import type { Recogniser } from '#shared/lib/patterns/span.ts'
import { url } from '#shared/lib/patterns/url.ts'
import { usSsn } from '#shared/lib/patterns/us-ssn.ts'
import { assert, suite } from '#test/kit/suite.ts'

const found = (by: Recogniser, text: string): string[] =>
  by
    .find(text)
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end }) => text.slice(start, end))

/** `«…»` marks what must be found in each text, and nothing else. */
function expectMarked(by: Recogniser, texts: readonly string[]): void {
  for (const marked of texts) {
    const expected = Array.from(marked.matchAll(/«(.*?)»/gsu), (match) => match[1]!)
    assert.equal(found(by, marked.replace(/[«»]/gu, '')), expected, marked)
  }
}

suite('patterns', ({ test }) => {
  test('e-mail addresses, without the sentence around them', () => {
    expectMarked(email, [
      'Write to «ada.lovelace+shop@mail.example.co.uk».',
      '<«a@b.io»>,(«b@c.de»);mailto:«c@d.fr»',
      "'«ada@example.com»'",
      'josé «josé@exämple.de» ok',
      '请联系«bob@example.com»谢谢',
      '@ada said a@b and a @ b.com, 5@5',
      'user@localhost has no domain; git@ nothing',
      `${'x'.repeat(200)}@`,
    ])
  })

  test('card numbers of a scheme, with a correct check digit, in the groups people write', () => {
    expectMarked(paymentCard, [
      'Card «4111 1111 1111 1111», «5555-5555-5555-4444» or «378282246310005».',
      'Amex «3782 822463 10005» and Diners «3056 930902 5904»',
      'order 12345 «4111111111111111» paid',
      'Wrong check digit 4111 1111 1111 1112, order 1234567812345670',
      'ID4111111111111111 and 4111111111111111X and 41111111111111111111',
      '0000 0000 0000 0000 and 1111111111111111',
      '2026-11-20 12:30:45.123456',
    ])
    assert.ok(luhn('79927398713') && !luhn('79927398710'))
  })

  test('bank accounts by country, length and check', () => {
    expectMarked(iban, [
      'To «GB29 NWBK 6016 1331 9268 19» please',
      '«de89370400440532013000», «NO9386011117947»!',
      'GB29 NWBK 6016 1331 9268 18 is mistyped; XX12345678901234 is nowhere',
      'XGB29NWBK60161331926819 and GB29NWBK60161331926819X are identifiers',
    ])
  })

  test('social security numbers by form, bare digits only when announced', () => {
    expectMarked(usSsn, [
      'Mine is «123-45-6789».',
      'SSN: «123 45 6789», my social security number is «123456789»',
      'order 123456789 and 123 45 6789 are numbers',
      '000-12-3456, 666-12-3456, 901-12-3456, 123-00-4567, 123-45-0000',
      'part 1123-45-6789, 123-45-67891, 123-45-6789-1',
    ])
  })

  test('addresses of machines, and no clock times or versions', () => {
    expectMarked(ipAddress, [
      'from «192.168.0.1», «10.0.0.1»:8080 and «2001:db8::8a2e:370:7334».',
      'at 12:30:45, from 10:00 to 11:00, ratio 1:2:3',
      'version 1.2.3.4, v1.2.3.4, 1.2.3, 1.2.3.4.5, 999.1.1.1',
      'std::vector, a::b, ::, Foo::Bar',
    ])
  })

  test('phone numbers, and no dates, amounts, orders, hashes or times', () => {
    expectMarked(phone(), [
      'Call «+44 20 7946 0958» or «(212) 555-0187», «415-555-0199 ext. 12» too.',
      'mobile: «0431 19 97 94», they are not answering at «785 8949»',
      '«9493 7477» office',
      'on 2026-11-20, 20.11.2026 or 11/20/2026 at 12:30:45.123',
      'order 1042, invoice INV-2026-0001234, ticket #12345678, ref=123456789',
      '550e8400-e29b-41d4-a716-446655440000 and 1732178400000',
      '$1,234,567.00, 1 000 000 €, 12345678.90, 1.234.567,00, 1234567%',
      'from 1990-1995, pages 100-200, size 10x20x30, 4111 1111 1111 1111',
      'tracking 1Z999AA10123456784, 00340434161094021555',
    ])
    expectMarked(phone(['DE']), ['«030 901820» oder «(089) 123456»'])
  })

  test('secrets by their form, by what announces them, by their randomness', () => {
    expectMarked(secret, [
      'use «ghp_0123456789abcdefghijABCDEFGHIJ0123456789» and «AKIAIOSFODNN7EXAMPLE»',
      'Authorization: Bearer «abcdefghij0123456789»',
      'postgres://app:«s3cret-pw»@db.internal/x',
      'my password is «hunter2»!, API_KEY="«Zx81kLmQ92»"',
      'key:\n«-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----» done',
      'How do I set my API key? The password is required. My token is invalid, password: ********',
      'Reset your password: https://example.com/reset. token is ${TOKEN}. api_key = <your-key>',
      'commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad, id 550e8400-e29b-41d4-a716-446655440000',
      'see /usr/local/lib/node_modules/some-package/dist/index/of/things.js',
    ])
    const random = 'q8ZK2mVt0pR7xW4nYb1cLdE9sGhJ3uAfTiOo5PkQ6HwX'
    assert.equal(found(secret, `value ${random} end`), [random])
    assert.is(found(secret, '-----BEGIN PRIVATE KEY-----\nMIIEow').length, 1, 'a key without an end goes to the end')
  })

  test('links by what a browser makes of them', () => {
    const links = url((address) => address?.hostname === 'example.com' && address.username === '')
    expectMarked(links, [
      'see https://example.com/a(b), (https://example.com) and «http://evil.test/a.»'.replace('.»', '».'),
      '![x](«https://evil.test/?q=secret») and <«//evil.test/x»> or «www.evil.test»',
      '«https://example.com@evil.test», «https://example.com.evil.test», «https://user@example.com»',
      '«javascript:alert(1)» «data:text/html,x» and not a/b // c',
      'https://EXAMPLE.com/ok https:\\\\example.com',
      'and/or, 1//2 is «//2», c:// is nothing'.replace('1//2 is «//2»', '1 / /2'),
    ])
    assert.equal(found(links, 'https://example.com\\@evil.test'), [], 'a backslash is a slash to a browser')
  })

  test('hidden messages go, joiners that a script or an emoji needs stay', () => {
    const tags = Array.from('ignore', (char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('')
    assert.equal(found(hiddenText, `hello${tags} world`), [tags])
    assert.is(found(hiddenText, 'pass\u200bword \u202eright to left\u202c a\u2060b').length, 4)
    assert.is(found(hiddenText, 'x\ufe00\ufe01\ufe02\ufe03').length, 1, 'a run of variation selectors')
    for (const kept of [
      '👩\u200d💻 ❤️\u200d🔥 1️⃣',
      '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
      'می\u200cخواهم',
      'שלום\u200f!',
      'ស្រុក\u200bខ្មែរ',
      'co\u00adop',
    ])
      assert.equal(found(hiddenText, kept), [], kept)
  })

  test("a tenant's own words, whole and in disguise", () => {
    const by = bannedTerms(['lawsuit', 'Money Back', 'c++'], ['AC-\\d{3,}'])
    const loose = (text: string): string[] => found(by, foldText(text, { lookalikes: true, lowerCase: true }))
    assert.equal(loose('A LAWSUIT, lаwsuit (with Cyrillic), ｌａｗｓｕｉｔ'), ['lawsuit', 'lawsuit', 'lawsuit'])
    assert.equal(loose('lawsuits, money  back, money back! C++17 c++ AC-1234'), ['money back', 'c++', 'c++', 'ac-1234'])
  })

  test('folding leads back to the original', () => {
    const raw = 'x\u200bＡ😀１'
    const folded = new FoldedText(raw)
    assert.is(folded.text, 'xA😀1')
    assert.equal(
      [0, 1, 2, 4, 5].map((index) => folded.rawStart(index)),
      [0, 2, 3, 5, 6],
    )
    assert.equal(
      [1, 2, 4, 5].map((index) => folded.rawEnd(index)),
      [1, 3, 5, 6],
    )
    const pieces = new FoldedText('ab')
    for (const char of raw) pieces.append(char)
    assert.is(pieces.text, `ab${folded.text}`)
    assert.is(pieces.rawStart(3), 4)
    assert.is(foldText('Ⅷ ½ é ٤', {}), 'VIII ½ é 4')
  })
})
