import fc from 'fast-check'
import { spanRules, SPAN_RULE_NAMES } from '#shared/graph/output-guards/span-rules.ts'
import type { SpanRuleName } from '#shared/graph/output-guards/span-rules.ts'
import { StreamGuard } from '#shared/graph/output-guards/stream-guard.ts'
import type { InlineRule } from '#shared/graph/output-guards/stream-guard.ts'
import { foldText } from '#shared/lib/patterns/fold.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const CONFIG: Partial<Record<SpanRuleName, object>> = {
  banned_terms: { terms: ['lawsuit', 'money back guarantee', 'c++'], patterns: ['AC-\\d{3,}\\b', 'foo\\Bd', 'x+y'] },
  url_allow_list: { hosts: ['example.com'] },
  personal_data: { entities: ['email', 'phone', 'payment_card', 'iban', 'us_ssn', 'ip_address', 'secret'] },
}

const rule = (name: SpanRuleName, action: InlineRule['action'] = 'rewrite'): InlineRule => ({
  guardrail: name,
  action,
  message: '',
  rules: spanRules(name, CONFIG[name] ?? {}),
})
const ALL = SPAN_RULE_NAMES.map((name) => rule(name))

/** Pieces that are something, pieces that nearly are, and what stands between them. */
const PIECES = [
  'ada@example.com',
  'ADA.L@mail.example.co.uk',
  '@',
  'a@b',
  'bob@',
  '.',
  ',',
  ' ',
  '  ',
  '\n',
  '-',
  '/',
  ':',
  '(',
  ')',
  '+',
  'x',
  'ext. ',
  '4111 1111 1111 1111',
  '4111111111111111',
  '5555-5555-5555-4444',
  '3782 822463 10005',
  '12',
  '1042',
  '4',
  '7',
  '0',
  'GB29 NWBK 6016 1331 9268 19',
  'DE89370400440532013000',
  'DE',
  'GB82 WEST',
  '123-45-6789',
  'ssn is 123456789',
  '123-45',
  '192.168.0.1',
  '192.168.0.',
  '2001:db8::8a2e:370:7334',
  '::',
  '10.0.0.1:8080',
  'dead',
  '+44 20 7946 0958',
  '(212) 555-0187',
  '415-555-0199',
  'call 555 0142',
  'call 555-1234:',
  '2026-11-20',
  '0431 19 97 94',
  '(((((',
  '+ ',
  'sk-proj-abcdefghijklmnop1234567890',
  'my password is hunter2!',
  'password: ',
  'api_key="Zx81kLmQ92"',
  'token is ',
  'Bearer abcdefghij0123456789',
  'token=',
  'token="',
  'secret: ',
  'abc',
  'Zx81',
  '<',
  '{',
  'ghp_0123456789abcdefghijABCDEFGHIJ0123456789',
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOi.eyJzdWIiOi.abc',
  'postgres://u:pa55word@db',
  '-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n',
  '-----END RSA PRIVATE KEY-----',
  '-----BEGIN ',
  '-----',
  '-----BEGIN CERTIFICATE-----',
  'https://evil.test/a?b=c',
  'https://example.com/ok.',
  'http:',
  '//',
  'www.evil.test',
  'javascript:alert(1)',
  'mailto:',
  '[x](https://evil.test)',
  'lawsuit',
  'law',
  'money back guarantee',
  'money back ',
  'lawsuits',
  'c++',
  'AC-1',
  'AC-123',
  'foo',
  'd',
  'xxx',
  'y',
  'ＬＡＷＳＵＩＴ',
  'lаwsuit',
  '\u200b',
  '\u202e',
  '\u{e0041}\u{e0042}',
  '👩\u200d💻',
  '❤️',
  '\u200d',
  '😀',
  'ａｄａ＠example.com',
  '４１１１ 1111 1111 1111',
  'a\u200bda@example.com',
  'word',
  'The order',
  'text',
  'e',
  't',
  '我们的邮箱',
  'é',
  '日本。',
  '"',
  "'",
  '_',
  '=',
  '#',
  '$',
]
const LOOSE = { plain: {}, loose: { lookalikes: true, lowerCase: true } }
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }).map((parts) => parts.join(''))
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 })

function cutUp(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length]!
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

/** Places each piece where its offset says, as a client does. */
function stream(rules: readonly InlineRule[], pieces: readonly string[]): { text: string; blockedBy: string | null } {
  const guard = new StreamGuard(rules)
  let text = ''
  let blockedBy: string | null = null
  const take = (released: ReturnType<StreamGuard['push']>): void => {
    assert.is(released.offset, text.length, 'the offset is where the text so far ends')
    text = text.slice(0, released.offset) + released.text
    blockedBy = released.blockedBy
    assert.ok(text.isWellFormed(), 'no half of a pair is released')
  }
  for (const piece of pieces) take(guard.push(piece))
  take(guard.end())
  return { text, blockedBy }
}

suite('stream guard', ({ test }) => {
  test('masks the same however the text is cut', () => {
    fc.assert(
      fc.property(texts, cuts, (text, sizes) => {
        assert.equal(stream(ALL, cutUp(text, sizes)), stream(ALL, [text]), JSON.stringify(text))
      }),
      { numRuns: 1_500 },
    )
  })

  for (const name of SPAN_RULE_NAMES)
    test(`${name} alone masks the same however the text is cut`, () => {
      const rules = [rule(name)]
      fc.assert(
        fc.property(texts, cuts, (text, sizes) => {
          assert.equal(stream(rules, cutUp(text, sizes)), stream(rules, [text]), JSON.stringify(text))
        }),
        { numRuns: 400 },
      )
    })

  test('looking on from a place finds what looking at everything finds behind it', () => {
    fc.assert(
      fc.property(texts, fc.nat(), (text, seed) => {
        for (const { rules } of ALL)
          for (const { recogniser } of rules) {
            const read = recogniser.reads === 'written' ? text : foldText(text, LOOSE[recogniser.reads])
            const all = recogniser.find(read)
            const from = seed % (read.length + 1)
            if (all.some(({ start, end }) => start < from && end > from)) continue
            const behind = all.filter(({ start }) => start >= from)
            if (recogniser.reads !== 'written' || !/\p{Cf}|\ufe0f/u.test(text))
              assert.equal(
                recogniser.find(read, from),
                behind,
                `${recogniser.entity} from ${from} in ${JSON.stringify(read)}`,
              )
          }
      }),
      { numRuns: 1_000 },
    )
  })

  test('blocks at the same place however the text is cut', () => {
    const rules = [rule('payment_card', 'block'), rule('secret', 'block'), rule('email')]
    fc.assert(
      fc.property(texts, cuts, (text, sizes) => {
        assert.equal(stream(rules, cutUp(text, sizes)), stream(rules, [text]), JSON.stringify(text))
      }),
      { numRuns: 500 },
    )
  })

  test('lets ordinary words through as they come', () => {
    const guard = new StreamGuard(ALL)
    const said = ['Your', ' order', ' 1042', ' is', ' on', ' its', ' way', '.'].map((piece) => guard.push(piece).text)
    assert.is(said.slice(0, 3).join(''), 'Your order', 'no more than the last word waits')
    assert.is(said.join('') + guard.end().text, 'Your order 1042 is on its way.')
  })

  test('nothing of a match is released before it is decided', () => {
    const guard = new StreamGuard([rule('payment_card')])
    let said = ''
    for (const char of 'Paid with 4111 1111 1111 1111') {
      said += guard.push(char).text
      assert.not(/\d/.test(said))
    }
    assert.is(said + guard.end().text, 'Paid with [card number]')
    assert.equal(guard.findings, [{ guardrail: 'payment_card', action: 'rewrite', entity: 'payment_card' }])
  })

  test('sees through disguises and masks the disguise with them', () => {
    assert.is(stream(ALL, ['write to ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ now']).text, 'write to [e-mail address] now')
    assert.is(stream(ALL, ['a\u200bda@exam', '\u200bple.com']).text, '[e-mail address]')
    assert.is(stream(ALL, ['card ４１１１１１１１', '１１１１１１１１!']).text, 'card [card number]!')
  })

  test('after a block nothing more is said', () => {
    const guard = new StreamGuard([rule('email'), rule('secret', 'block')])
    const first = guard.push('Mail ada@example.com, key sk-proj-abcdefghijklmnop1234567890 and more ')
    const reason = 'This holds 1 secret, which may not be passed on here.'
    assert.equal(first, { offset: 0, text: 'Mail [e-mail address], key ', blockedBy: 'secret', reason })
    const nothing = { offset: first.text.length, text: '', blockedBy: 'secret', reason }
    assert.equal(guard.push('and more'), nothing)
    assert.equal(guard.end(), nothing)
    assert.equal(guard.checks(), [
      { guardrail: 'email', verdict: 'rewrite', reason: 'Masked 1 e-mail address.' },
      { guardrail: 'secret', verdict: 'block', reason },
    ])
  })

  test('a mask that overlaps with what blocks is not cut open', () => {
    const rules = [
      {
        guardrail: 'words',
        action: 'rewrite' as const,
        message: '',
        rules: spanRules('banned_terms', { terms: ['write to ada@example.com'] }),
      },
      rule('email', 'block'),
    ]
    assert.equal(stream(rules, ['please write to ada@example.com!']), { text: 'please ', blockedBy: 'email' })
  })

  test('a rule that fails blocks', () => {
    const broken = spanRules('email', {})[0]!
    const rules: InlineRule[] = [
      {
        guardrail: 'broken',
        action: 'flag',
        message: '',
        rules: [
          {
            ...broken,
            recogniser: {
              ...broken.recogniser,
              find: () => {
                throw new Error('boom')
              },
            },
          },
        ],
      },
    ]
    assert.equal(stream(rules, ['hello ', 'world ']), { text: '', blockedBy: 'broken' })
  })

  test('a text beyond the limit is refused', () => {
    const guard = new StreamGuard([])
    assert.throws(
      () => guard.push('x'.repeat(300_000)),
      (error: unknown) => error instanceof WaggleError && error.code === 'TOO_LARGE',
    )
  })

  test('long texts cost little, whatever they are made of', () => {
    const hostile = [
      '@',
      '1 ',
      'a.',
      '((',
      'x',
      '//',
      '-----BEGIN ',
      'GB29 ',
      'password is ',
      '\u200d',
      'sk-',
      '+1',
      ':',
    ]
    for (const unit of hostile) {
      const begun = performance.now()
      const text = unit.repeat(16_000 / unit.length)
      stream(ALL, cutUp(text, [64]))
      assert.ok(performance.now() - begun < 3_000, `${JSON.stringify(unit)} took ${performance.now() - begun} ms`)
    }
  })
})
