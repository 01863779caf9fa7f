import { keyIdOf, masterKey, newKey, open, seal } from '#shared/db/envelope.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const plain = Buffer.from('a token ünïcödé')
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    return coded(error).code
  }
}

suite('envelope', ({ test }) => {
  test('opens what it sealed, and never seals twice to the same text', () => {
    const key = newKey('1')
    const [one, two] = [seal(key, plain, 'p'), seal(key, plain, 'p')]
    assert.is.not(one, two)
    assert.is(open(key, one, 'p').toString(), plain.toString())
    assert.is(open(key, two, 'p').toString(), plain.toString())
    assert.is(keyIdOf(one), '1')
    assert.is(open(key, seal(key, Buffer.alloc(0), 'p'), 'p').length, 0)
  })

  test('opens nothing under another key, another purpose or another key id', () => {
    const key = newKey('1')
    const sealed = seal(key, plain, 'acme\nfield')
    assert.is(
      codeOf(() => open(newKey('1'), sealed, 'acme\nfield')),
      'DECRYPT',
    )
    assert.is(
      codeOf(() => open(key, sealed, 'globex\nfield')),
      'DECRYPT',
    )
    assert.is(
      codeOf(() => open({ ...key, id: '2' }, sealed, 'acme\nfield')),
      'DECRYPT',
    )
    assert.is(
      codeOf(() => open({ ...key, id: '2' }, sealed.replace('.1.', '.2.'), 'acme\nfield')),
      'DECRYPT',
    )
  })

  test('notices every change of a sealed text', () => {
    const key = newKey('1')
    const sealed = seal(key, plain, 'p')
    const body = sealed.slice(5)
    for (let at = 0; at < body.length; at++) {
      const other = body[at] === 'A' ? 'B' : 'A'
      const changed = `${sealed.slice(0, 5)}${body.slice(0, at)}${other}${body.slice(at + 1)}`
      // The last character may hold bits that are no part of the bytes.
      const same = Buffer.from(changed.slice(5), 'base64url').equals(Buffer.from(body, 'base64url'))
      assert.is(
        codeOf(() => open(key, changed, 'p')),
        same ? 'no error' : 'DECRYPT',
        `character ${at}`,
      )
    }
    for (const garbage of ['', 'w1', 'w1.1', 'w1.1.', 'w1.1.AAAA', 'w2.1.AAAA', 'plain text']) {
      assert.is(
        codeOf(() => open(key, garbage, 'p')),
        'DECRYPT',
        garbage,
      )
    }
  })

  test('refuses a master key that is too short, and key ids that would not be read back', () => {
    assert.is(
      codeOf(() => masterKey('m1', 'short')),
      'CONFIG',
    )
    assert.is(
      codeOf(() => masterKey('m.1', 'long enough for a master key')),
      'CONFIG',
    )
    assert.is(
      codeOf(() => masterKey('', 'long enough for a master key')),
      'CONFIG',
    )
    const [one, two] = [masterKey('m1', 'a master key of the test'), masterKey('m1', 'a master key of the test')]
    assert.ok(one.bytes.equals(two.bytes), 'the same secret is the same key')
  })
})
