import fc from 'fast-check'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import { MAX_KEY_CHARS, decodeKey, decodeName, encodeKey, encodeName, keyHead } from '#shared/wire/names.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { brokenText, hostileText, name } from './arbitraries.ts'

const TOKEN = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

function codeOf(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    assert.instance(error, WaggleError)
    return (error as WaggleError).code
  }
  return 'none'
}

suite('names', ({ test }) => {
  test('every name comes back from its token, so that no two names share one', () => {
    fc.assert(
      fc.property(name, (text) => {
        const token = encodeName(text)
        assert.match(token, TOKEN)
        assert.ok(token.length <= MAX_KEY_CHARS)
        assert.is(decodeName(token), text)
      }),
      { numRuns: 2000 },
    )
  })

  test('a name is encoded or refused by its code, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, brokenText), (text) => {
        const code = codeOf(() => encodeName(text))
        if (text === '' || !text.isWellFormed()) assert.is(code, 'BAD_NAME')
        else if (code !== 'none') assert.is(code, 'KEY_TOO_LONG')
        else assert.is(decodeName(encodeName(text)), text)
      }),
      { numRuns: 2000 },
    )
  })

  test('only the canonical token of a name is a name', () => {
    const token = fc.oneof(
      hostileText,
      fc
        .string({ unit: fc.constantFrom(...Array.from('0123456789abcdefghijklmnopqrstuvwxyz-')), maxLength: 30 })
        .map((t) => `x-${t}`),
    )
    fc.assert(
      fc.property(token, (candidate) => {
        const code = codeOf(() => decodeName(candidate))
        if (code === 'none') assert.is(encodeName(decodeName(candidate)), candidate)
        else assert.is(code, 'BAD_NAME')
      }),
      { numRuns: 3000 },
    )
  })

  test('names that look alike stay apart', () => {
    const alike = [
      'acme',
      'Acme',
      'ACME',
      'acme ',
      ' acme',
      'a-cme',
      'a--cme',
      'ac.me',
      'x-acme',
      'äcme',
      'a\u0308cme',
      '\uFEFFacme',
    ]
    assert.is(new Set(alike.map(encodeName)).size, alike.length)
    // An encoded name, taken for a name, is another name.
    for (const text of ['Acme', 'x-acme', '.']) assert.is.not(encodeName(encodeName(text)), encodeName(text))
  })

  test('known tokens stay what they are', () => {
    assert.equal(['acme', 'order-1042', 'Acme Corp', 'x-1', '*', '>', '😀'].map(encodeName), [
      'acme',
      'order-1042',
      'x-85hmqp908dnn4s0',
      'x-f0mj2',
      'x-58',
      'x-7o',
      'x-u2fph00',
    ])
  })

  test('a key of several parts comes back part by part', () => {
    const parts = fc.array(name, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(parts, (key) => {
        const code = codeOf(() => encodeKey(key))
        if (code !== 'none') {
          assert.is(code, 'KEY_TOO_LONG')
          return
        }
        const token = encodeKey(key)
        assert.ok(token.length <= MAX_KEY_CHARS && !token.includes('.'))
        assert.equal(decodeKey(token), key)
        assert.is(keyHead(token), encodeName(key[0]!))
      }),
      { numRuns: 2000 },
    )
  })

  test('joining and splitting cannot be confused by dashes in the parts', () => {
    const keys = [
      ['a', 'b'],
      ['a--b'],
      ['a-', 'b'],
      ['a', '-b'],
      ['a', 'b', 'c'],
      ['a--b', 'c'],
      ['a', 'b--c'],
      ['a-b', 'c'],
    ]
    assert.is(new Set(keys.map(encodeKey)).size, keys.length)
    for (const key of keys) assert.equal(decodeKey(encodeKey(key)), key)
  })

  test('120 characters are a key, 121 are not', () => {
    assert.is(encodeName('a'.repeat(120)).length, 120)
    assert.is(
      codeOf(() => encodeName('a'.repeat(121))),
      'KEY_TOO_LONG',
    )
    assert.is(encodeKey(['a'.repeat(59), 'b'.repeat(59)]).length, 120)
    assert.is(
      codeOf(() => encodeKey(['a'.repeat(60), 'b'.repeat(59)])),
      'KEY_TOO_LONG',
    )
    assert.is(
      codeOf(() => encodeName('ü'.repeat(60))),
      'KEY_TOO_LONG',
    )
    assert.is(
      codeOf(() => decodeKey('a'.repeat(121))),
      'KEY_TOO_LONG',
    )
    assert.is(
      codeOf(() => encodeKey([])),
      'BAD_NAME',
    )
  })
})
