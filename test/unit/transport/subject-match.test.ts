import fc from 'fast-check'

import { coverFilters } from '#shared/nats/replay.ts'
import { filtersOverlap, isLiteral, subjectMatches } from '#shared/transport/subject-match.ts'
import { assert, suite } from '#test/kit/suite.ts'

const token = fc.constantFrom('a', 'b')
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const filter = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, open]) => (open ? [...tokens, '>'] : tokens).join('.'))

/** Every subject of up to five tokens over the two letters. */
const ALL = (() => {
  const found: string[] = []
  let level = ['']
  for (let depth = 0; depth < 5; depth++) {
    level = level.flatMap((stem) => ['a', 'b'].map((letter) => (stem === '' ? letter : `${stem}.${letter}`)))
    found.push(...level)
  }
  return found
})()

function asRegExp(pattern: string): RegExp {
  const tokens = pattern.split('.').map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part))
  return new RegExp(`^${tokens.join('\\.')}$`)
}

suite('subject filters', ({ test }) => {
  test('match as the broker documents them', () => {
    fc.assert(
      fc.property(filter, subject, (pattern, text) => {
        assert.is(subjectMatches(pattern, text), asRegExp(pattern).test(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('overlap exactly when some subject matches both', () => {
    fc.assert(
      fc.property(filter, filter, (left, right) => {
        const common = ALL.some((text) => subjectMatches(left, text) && subjectMatches(right, text))
        assert.is(filtersOverlap(left, right), common, `${left} ${right}`)
        assert.is(filtersOverlap(right, left), common)
      }),
      { numRuns: 2000 },
    )
  })

  test('a cover matches whatever its filters match', () => {
    fc.assert(
      fc.property(fc.array(filter, { minLength: 1, maxLength: 4 }), (filters) => {
        const covers = coverFilters(filters)
        for (const text of ALL) {
          if (filters.some((each) => subjectMatches(each, text))) {
            assert.ok(
              covers.some((each) => subjectMatches(each, text)),
              `${filters.join(' ')} ${text}`,
            )
          }
        }
      }),
    )
    assert.equal(coverFilters(['t.x.ev.s.pub', 't.x.ev.s.ops']), ['t.x.ev.s.*'])
    assert.equal(coverFilters(['t.x.ev.s.pub', 't.x.ev.r.pub']), ['t.x.ev.s.pub', 't.x.ev.r.pub'])
  })

  test('a literal holds no wildcard', () => {
    assert.equal(['a.b', 'a.*', 'a.>', '*', 'a*'].map(isLiteral), [true, false, false, false, true])
  })
})
