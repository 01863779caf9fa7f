import fc from 'fast-check'

import { formatCursor, parseCursor } from '#shared/wire/cursor.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { hostileText } from './arbitraries.ts'

const place = fc.record(
  {
    incarnation: fc.stringMatching(/^[0-9a-z]{1,64}$/),
    sequence: fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER)),
  },
  { noNullPrototype: true },
)

const cursor = fc.oneof(
  place,
  fc.tuple(place, fc.nat(), fc.nat(), fc.nat()).map(([value, ...lags]) => {
    const [pub, ops, sys] = lags.map((lag) => Math.max(0, value.sequence - lag)) as [number, number, number]
    return { ...value, heads: { pub, ops, sys } }
  }),
)

suite('cursors', ({ test }) => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(cursor, (value) => {
        assert.equal(parseCursor(formatCursor(value)), value)
      }),
    )
  })

  test('anything else is no cursor, and never an error', () => {
    const text = fc.oneof(
      hostileText,
      fc.tuple(cursor, hostileText, fc.nat()).map(([value, noise, at]) => {
        const good = formatCursor(value)
        return good.slice(0, at % good.length) + noise + good.slice(at % good.length)
      }),
      fc.constantFrom(
        'a.01',
        'a.-1',
        'a.1.0',
        'a.1.0.0',
        'a.1.0.0.2',
        'a.1.0.0.01',
        'a.1.0.0.0.0',
        'a.1e3',
        'a.9007199254740992',
        'A.1',
        'a.',
        '.1',
        'a. 1',
        'a.1\n',
        'a.٣',
      ),
    )
    fc.assert(
      fc.property(text, (candidate) => {
        const parsed = parseCursor(candidate)
        if (parsed !== null) assert.is(formatCursor(parsed), candidate)
      }),
      { numRuns: 2000 },
    )
    for (const bad of ['', 'a', 'a.01', 'a.1e3', 'a.9007199254740992', 'A.1', 'a.1\n', 'a.-1']) {
      assert.is(parseCursor(bad), null, bad)
    }
  })
})
