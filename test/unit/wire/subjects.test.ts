import fc from 'fast-check'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import { subjectMatches } from '#shared/transport/subject-match.ts'
import { encodeKey, encodeName } from '#shared/wire/names.ts'
import {
  MAX_PARTITIONS,
  MAX_SUBJECT_CHARS,
  askSubject,
  callSubject,
  commandSubject,
  eventSubject,
  filters,
  inSubject,
  liveOwnSubject,
  liveSubject,
  outSubject,
  ownSubject,
  parseSubject,
  partitionOf,
  signalSubject,
} from '#shared/wire/subjects.ts'
import type { Subject } from '#shared/wire/subjects.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { hostileText, keyToken, nameToken } from './arbitraries.ts'

const audience = fc.constantFrom('pub', 'ops', 'sys')
const PLAIN = { noNullPrototype: true } as const
const partition = fc.nat({ max: MAX_PARTITIONS - 1 })
const SUBJECT: fc.Arbitrary<Subject> = fc.oneof(
  fc.record(
    {
      lane: fc.constantFrom('cmd', 'call'),
      tenant: nameToken,
      partition,
      kind: nameToken,
      key: keyToken,
    },
    PLAIN,
  ),
  fc.record({ lane: fc.constant('ask'), tenant: nameToken, kind: nameToken, name: keyToken }, PLAIN),
  fc.record(
    { lane: fc.constantFrom('ev', 'own', 'live', 'live own'), tenant: nameToken, scope: keyToken, audience },
    PLAIN,
  ),
  fc.record({ lane: fc.constant('sig'), tenant: nameToken, kind: nameToken, key: keyToken }, PLAIN),
  fc.record({ lane: fc.constantFrom('in', 'out'), tenant: nameToken, channel: nameToken, thread: keyToken }, PLAIN),
)

function build(subject: Subject): string {
  switch (subject.lane) {
    case 'cmd':
      return commandSubject(subject.tenant, subject.partition, subject.kind, subject.key)
    case 'call':
      return callSubject(subject.tenant, subject.partition, subject.kind, subject.key)
    case 'ask':
      return askSubject(subject.tenant, subject.kind, subject.name)
    case 'ev':
      return eventSubject(subject.tenant, subject.scope, subject.audience)
    case 'live':
      return liveSubject(subject.tenant, subject.scope, subject.audience)
    case 'own':
      return ownSubject(subject.tenant, subject.scope, subject.audience)
    case 'live own':
      return liveOwnSubject(subject.tenant, subject.scope, subject.audience)
    case 'sig':
      return signalSubject(subject.tenant, subject.kind, subject.key)
    case 'in':
      return inSubject(subject.tenant, subject.channel, subject.thread)
    case 'out':
      return outSubject(subject.tenant, subject.channel, subject.thread)
  }
}

function codeOf(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    assert.instance(error, WaggleError)
    return (error as WaggleError).code
  }
  return 'none'
}

suite('subjects', ({ test }) => {
  test('what is built is parsed to the same, on every lane; it is short and has at most 16 tokens', () => {
    fc.assert(
      fc.property(SUBJECT, (subject) => {
        const code = codeOf(() => build(subject))
        // Four long tokens together may be too long for one subject; that is refused and never cut.
        if (code !== 'none') {
          assert.is(code, 'BAD_SUBJECT')
          return
        }
        const built = build(subject)
        assert.ok(built.length <= MAX_SUBJECT_CHARS && built.split('.').length <= 16)
        assert.equal(parseSubject(built), subject)
      }),
      { numRuns: 3000 },
    )
  })

  test('any other text is refused, or it is exactly what a builder makes', () => {
    const words = fc.constantFrom(
      't',
      'live',
      'cmd',
      'call',
      'ask',
      'ev',
      'sig',
      'in',
      'out',
      'pub',
      'ops',
      'sys',
      '0',
      '31',
      '031',
      '1024',
      'acme',
      'x-58',
      'x-59',
      'a--b',
      '*',
      '>',
      '',
      ' ',
      'A',
      'ä',
    )
    const text = fc.oneof(
      fc.array(words, { minLength: 1, maxLength: 8 }).map((tokens) => tokens.join('.')),
      hostileText,
      fc.tuple(SUBJECT, fc.nat(), hostileText).map(([subject, at, noise]) => {
        try {
          const built = build(subject)
          return built.slice(0, at % (built.length + 1)) + noise + built.slice(at % (built.length + 1))
        } catch {
          return noise
        }
      }),
    )
    fc.assert(
      fc.property(text, (candidate) => {
        const code = codeOf(() => parseSubject(candidate))
        if (code === 'none') assert.is(build(parseSubject(candidate)), candidate)
        else assert.is(code, 'BAD_SUBJECT')
      }),
      { numRuns: 5000 },
    )
  })

  test('no builder lets a token add a level, a wildcard or another tenant', () => {
    const bad = ['', '.', 'a.b', '*', '>', 'a*', ' ', 'A', 'ä', 'a\n', 'acme.cmd.0.agent.1', '\0']
    for (const token of bad) {
      for (const attempt of [
        () => commandSubject(token, 1, 'agent', 'k'),
        () => commandSubject('acme', 1, token, 'k'),
        () => commandSubject('acme', 1, 'agent', token),
        () => callSubject('acme', 1, 'agent', token),
        () => askSubject('acme', token, 'n'),
        () => askSubject('acme', 'tool', token),
        () => eventSubject(token, 's', 'pub'),
        () => eventSubject('acme', token, 'pub'),
        () => liveSubject('acme', token, 'pub'),
        () => signalSubject('acme', 'agent', token),
        () => inSubject('acme', 'slack', token),
        () => outSubject('acme', token, 'k'),
        () => filters.commandsOfTenant(token),
        () => filters.eventsOfScope('acme', token),
        () => filters.eventsOfScope(token, 's'),
        () => filters.eventsOfTenant(token),
        () => filters.liveOfTenant(token),
      ]) {
        assert.is(codeOf(attempt), 'BAD_SUBJECT', JSON.stringify(token))
      }
    }
    for (const number of [-1, 1.5, Number.NaN, MAX_PARTITIONS, Infinity]) {
      assert.is(
        codeOf(() => commandSubject('acme', number, 'agent', 'k')),
        'BAD_SUBJECT',
      )
    }
  })

  test('a filter of a tenant or a partition matches its own subjects and no others', () => {
    fc.assert(
      fc.property(SUBJECT, nameToken, partition, (subject, tenant, number) => {
        let built: string
        try {
          built = build(subject)
        } catch {
          return
        }
        const isEvent = subject.lane === 'ev'
        assert.is(subjectMatches(filters.eventsOfTenant(tenant), built), isEvent && subject.tenant === tenant)
        assert.ok(!isEvent || subjectMatches(filters.eventsOfScope(subject.tenant, subject.scope), built))
        if (subject.lane === 'live' || subject.lane === 'live own')
          assert.ok(subjectMatches(filters.liveOfTenant(subject.tenant), built))
        if (subject.lane === 'cmd' || subject.lane === 'call') {
          const filter = filters[subject.lane === 'cmd' ? 'commands' : 'calls'](number, subject.kind)
          assert.is(subjectMatches(filter, built), subject.partition === number)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

suite('partitions', ({ test }) => {
  test('known actors stay where they are', () => {
    const vectors: [string, string, string, number, number][] = [
      ['acme', 'supervisor', 'c-1042', 32, 11],
      ['acme', 'agent', 'c-1042--billing', 32, 6],
      ['acme', 'supervisor', '01kb3y7q2v8m4n6p9r0s1t3w5x', 32, 19],
      ['globex', 'supervisor', 'c-1042', 32, 30],
      ['acme', 'desk', 'default', 4, 3],
      ['x-85hmqp908dnn4s0', 'memory', 'x-58', 4, 2],
      ['acme', 'supervisor', 'c-1042', 1, 0],
    ]
    assert.equal(
      vectors.map(([tenant, kind, key, partitions]) => partitionOf(tenant, kind, key, partitions)),
      vectors.map(([, , , , expected]) => expected),
    )
  })

  test('a child lives where its parent does', () => {
    fc.assert(
      fc.property(nameToken, nameToken, keyToken, (tenant, head, rest) => {
        const parent = partitionOf(tenant, 'agent', head, 32)
        assert.is(partitionOf(tenant, 'agent', `${head}--${rest}`, 32), parent)
      }),
    )
  })

  test('ids that differ in their last character only spread evenly', () => {
    for (const partitions of [4, 32]) {
      const counts = Array.from({ length: partitions }, () => 0)
      const total = 32_000
      for (let index = 0; index < total; index++) {
        counts[
          partitionOf('acme', 'supervisor', `01kb3y7q2v8m4n6p9r0s${index.toString(36).padStart(6, '0')}`, partitions)
        ]!++
      }
      const even = total / partitions
      // Ten standard deviations of a fair draw would be far inside these bounds.
      for (const count of counts) assert.ok(count > even * 0.8 && count < even * 1.2, counts.join(' '))
    }
  })

  test('names of one key in different tenants do not move together', () => {
    const same = Array.from({ length: 200 }, (_, index) => `tenant-${index}`).map((tenant) =>
      partitionOf(encodeName(tenant), 'supervisor', encodeKey(['main']), 32),
    )
    assert.ok(new Set(same).size > 25)
  })
})
