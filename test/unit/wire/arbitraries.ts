import fc from 'fast-check'

import type { Envelope } from '#shared/wire/envelope.ts'
import { encodeKey, encodeName } from '#shared/wire/names.ts'

/** Text that names have been confused by: empty, dots, wildcards, prefixes, dashes, case, unicode. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '*',
    '>',
    'a.b',
    'x-',
    'x-a',
    'x-00',
    'X',
    'Acme',
    'a--b',
    '-a',
    'a-',
    '--',
    ' ',
    'a b',
    'a\n',
    '\0',
    'ä',
    'a\u0308',
    '\u00e4',
    '😀',
    '\uFEFF',
    '__proto__',
    'live',
    't',
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('a', 'b', 'x', '0', '-', '.', '*', '>', 'A'), maxLength: 20 }),
)

/** Any sequence of UTF-16 code units, halves of pairs included. */
export const brokenText = fc
  .array(fc.oneof(fc.constantFrom(0x61, 0xd83d, 0xde00, 0xdfff, 0xd800), fc.integer({ min: 0, max: 0xffff })), {
    maxLength: 20,
  })
  .map((units) => String.fromCharCode(...units))

/** Names that can be encoded: not empty, well-formed, and short enough for their longest form. */
export const name = fc
  .oneof(fc.stringMatching(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, { maxLength: 30 }), hostileText)
  .filter((text) => text.length > 0 && text.isWellFormed() && Buffer.byteLength(text) <= 60)

export const nameToken = name.map(encodeName)
export const keyToken = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => {
  try {
    return encodeKey(parts)
  } catch {
    return encodeName(parts[0]!)
  }
})

/** JSON values whose text survives (well-formed; the key `__proto__` is renamed by every careful decoder). */
export const jsonValue = fc
  .jsonValue({ maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown)
  .filter((value) => !JSON.stringify(value).includes('__proto__') && JSON.stringify(value).isWellFormed())
  .filter((value) => !/\\ud[89a-f]/i.test(JSON.stringify(value)))

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const count = fc.oneof(fc.nat(), fc.constantFrom(0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, 2 ** 53 - 1))
const address = fc.tuple(text, text).map(([kind, key]) => `${kind.replaceAll('/', '_')}/${key}` as const)

export const envelope: fc.Arbitrary<Envelope> = fc
  .record(
    {
      id: text,
      type: text,
      version: count,
      tenant: text,
      from: address,
      chain: fc.array(address, { maxLength: 16 }),
      deadline: count,
      attempt: count,
      epoch: count,
      control: count,
      who: fc.option(
        fc.record(
          { user: text, roles: fc.array(text), scopes: fc.array(text), credential: fc.string() },
          { noNullPrototype: true },
        ),
      ),
      taint: fc.array(text),
      trace: fc.string({ unit: 'grapheme' }),
      at: count,
      receipt: fc.string({ unit: 'grapheme' }),
      payload: jsonValue,
    },
    { noNullPrototype: true },
  )
  .map(({ who, ...rest }) => ({ ...rest, principal: who === null ? null : { tenant: rest.tenant, ...who } }))

export const counts = count
export const addresses = address
export const texts = text
