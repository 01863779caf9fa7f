import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import type { BaseMessage } from '@langchain/core/messages'
import fc from 'fast-check'

import { decide } from '#shared/models/builtin/decide.ts'
import type { Decision } from '#shared/models/builtin/decide.ts'
import { readSlots } from '#shared/models/builtin/schema.ts'
import { MAX_PATTERN_SUBJECT_CHARS, fitsPattern } from '#shared/models/builtin/slots/pattern.ts'
import { renderPassages } from '#shared/models/passages.ts'
import { readTool } from '#shared/models/tool-spec.ts'
import { assert, suite } from '#test/kit/suite.ts'

const TODAY = { year: 2026, month: 11, day: 21 }
/** Of CPU, so that a busy machine does not matter. Far above what is measured (milliseconds), far below what backtracking takes. */
const PATIENCE_MS = 3_000

const TOOLS = [
  {
    name: 'lookup',
    description: 'Look up the status of an order.',
    schema: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'order number', pattern: '^[A-Z]{2}-?[0-9]{4,8}$' },
        note: { type: 'string', description: 'A note' },
        tags: { type: 'array', items: { type: 'string' }, description: 'Tags of the order' },
        scores: { type: 'array', items: { type: 'number' } },
        when: { type: 'string', format: 'date' },
        who: { type: 'string', description: 'Name of the person' },
        formula: { type: 'string', description: 'The function' },
        phone: { type: 'string' },
        address: { type: 'string' },
        free: { type: 'object' },
      },
    },
  },
  {
    name: 'other',
    description: 'Send a message to somebody',
    schema: {
      type: 'object',
      properties: { text: { type: 'string' }, to: { type: 'string', format: 'email' }, n: { type: 'integer' } },
      required: ['text', 'to', 'n'],
    },
  },
].map(readTool)

function decideOn(messages: readonly BaseMessage[]): Decision {
  return decide({ messages, tools: TOOLS, toolChoice: 'auto', stop: [], signal: new AbortController().signal }, TODAY)
}

function timed(run: () => unknown): number {
  const begun = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1_000
}

const LONG = 100_000
const TEXTS: Readonly<Record<string, string>> = {
  nothing: '',
  blanks: ' \n\t ',
  'one letter': 'a'.repeat(LONG),
  words: 'order status '.repeat(LONG / 13),
  digits: '1'.repeat(LONG),
  'short numbers': '1 '.repeat(LONG / 2),
  'thousands separators': '1,111,'.repeat(LONG / 6),
  'number words': 'twenty one hundred and '.repeat(LONG / 23),
  quotes: '"'.repeat(LONG),
  'open quotes': "'a ".repeat(LONG / 3),
  brackets: '[('.repeat(LONG / 2),
  'nested lists': '[[1,2],'.repeat(LONG / 7),
  capitals: 'Aa Bb of the '.repeat(LONG / 13),
  'capitals and commas': 'Paris, France, '.repeat(LONG / 15),
  'street numbers': '12 Main Street, '.repeat(LONG / 16),
  formula: '3x^2 + 2x - '.repeat(LONG / 12),
  'phone digits': '555-0199 (415) '.repeat(LONG / 15),
  'mail signs': 'a@b.c@'.repeat(LONG / 6),
  dots: 'a.'.repeat(LONG / 2),
  'e-mail tail': `a@${'b.'.repeat(LONG / 2)}`,
  'url tail': `http://${'a/'.repeat(LONG / 2)}`,
  dates: '2026-01-01 to May 5 '.repeat(LONG / 20),
  months: 'in May '.repeat(LONG / 7),
  pairs: 'a: b, '.repeat(LONG / 6),
  'open tail': 'because '.repeat(LONG / 8),
  hyphens: 'a-'.repeat(LONG / 2),
  slashes: 'a/b/'.repeat(LONG / 4),
  underscores: 'a_'.repeat(LONG / 2),
  emoji: '🐝🇵🇪👩‍👩‍👧 '.repeat(LONG / 16),
  han: '订单在哪里'.repeat(LONG / 5),
  'right to left': 'أين طلبي '.repeat(LONG / 9),
  'combining marks': 'é̀̂̃'.repeat(LONG / 5),
  'lone surrogates': '\ud83d'.repeat(LONG),
  nulls: '\u0000'.repeat(LONG),
}

suite('builtin: hostile and odd messages', ({ test }) => {
  for (const [name, text] of Object.entries(TEXTS)) {
    test(`${name} is answered, and soon`, () => {
      const ms = timed(() => decideOn([new HumanMessage(text)]))
      assert.ok(ms < PATIENCE_MS, `${Math.round(ms)} ms`)
    })
  }

  test('no message, no human, only a system message', () => {
    for (const messages of [[], [new SystemMessage('Be kind.')], [new AIMessage('Hello')]])
      assert.is(decideOn(messages).kind, 'say')
  })

  test('any text at all gives a call with arguments that are plain data, or words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const decision = decideOn([new HumanMessage(text)])
        if (decision.kind === 'call')
          for (const call of decision.calls) assert.equal(JSON.parse(JSON.stringify(call.args)), call.args)
        else assert.ok(decision.text !== '')
      }),
      { numRuns: 300 },
    )
  })

  test('a tool result of any form is rendered', () => {
    const results = [
      '',
      'null',
      '[]',
      '{}',
      '[1,2]',
      '{"a":{"b":{"c":[1]}}}',
      '{"broken":',
      '<html>',
      '"x"',
      '42',
      `[${'{"a":1},'.repeat(5_000)}{"a":1}]`,
      'x'.repeat(LONG),
    ]
    for (const content of results) {
      const call = { id: 'a', name: 'lookup', args: {}, type: 'tool_call' as const }
      const decision = decideOn([
        new HumanMessage('Look up my order'),
        new AIMessage({ content: '', tool_calls: [call] }),
        new ToolMessage({ tool_call_id: 'a', content }),
      ])
      assert.ok(decision.kind === 'say' && decision.text !== '' && decision.text.length < 10_000, content.slice(0, 20))
    }
  })

  test('a tool message that answers no known call is rendered too', () => {
    assert.ok(
      decideOn([new HumanMessage('x'), new ToolMessage({ tool_call_id: 'gone', content: '{"a":1}' })]).kind === 'say',
    )
  })

  test('a hundred long passages are searched in time', () => {
    const passages = Array.from({ length: 100 }, (_, i) => ({
      mark: i + 1,
      title: `Chapter ${i}`,
      text: 'The bees dance in the hive. Honey is made of nectar! '.repeat(80),
    }))
    const ms = timed(() =>
      decideOn([new SystemMessage(renderPassages(passages)), new HumanMessage('What is honey made of?')]),
    )
    assert.ok(ms < PATIENCE_MS * 2, `${Math.round(ms)} ms`)
  })
})

suite('builtin: hostile and odd schemas', ({ test }) => {
  const run = (schema: unknown, text: string): Decision =>
    decide(
      {
        messages: [new HumanMessage(text)],
        tools: [readTool({ name: 'lookup_thing', description: 'Look up a thing', schema })],
        toolChoice: { name: 'lookup_thing' },
        stop: [],
        signal: new AbortController().signal,
      },
      TODAY,
    )

  const CATASTROPHIC = [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a?){40}a{40}$',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '^(a|aa)+$',
    '(.*)*z',
    '^(?=(a+))a*b',
    '(a+)\\1+',
    `^${'a?'.repeat(50)}${'a'.repeat(50)}$`,
    `^${'a*'.repeat(20)}b$`,
    `^${'a{1,30}'.repeat(10)}b$`,
  ]
  for (const pattern of CATASTROPHIC) {
    test(`a pattern that could backtrack for ever is not run: ${pattern.slice(0, 24)}`, () => {
      const subject = 'a'.repeat(MAX_PATTERN_SUBJECT_CHARS)
      const ms = timed(() => assert.is(fitsPattern(pattern, subject), null))
      assert.ok(ms < PATIENCE_MS, `${Math.round(ms)} ms`)
      const whole = timed(() =>
        run(
          { type: 'object', properties: { id: { type: 'string', pattern } }, required: ['id'] },
          `look up ${'a'.repeat(5_000)}`,
        ),
      )
      assert.ok(whole < PATIENCE_MS, `${Math.round(whole)} ms`)
    })
  }

  test('patterns of everyday ids are run', () => {
    const good: readonly (readonly [string, string, boolean])[] = [
      ['^[0-9]{4,8}$', '1042', true],
      ['^[0-9]{4,8}$', '104', false],
      ['^ORD-\\d{4}$', 'ORD-1042', true],
      ['[A-Z]{2}\\d+', 'DE123', true],
      ['^(INV|ORD)-\\d{4,6}$', 'INV-12345', true],
      ['^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', '123e4567-e89b-12d3-a456-426614174000', true],
      ['^[A-Z]?\\d{3}-?\\d{2}-?\\d{4}$', '123-45-6789', true],
      ['^\\+?[1-9]\\d{6,14}$', '+14155552671', true],
    ]
    for (const [pattern, text, fits] of good) assert.is(fitsPattern(pattern, text), fits, pattern)
  })

  test('a pattern that is no pattern, or longer than allowed, is left to the tool', () => {
    assert.is(fitsPattern('([', 'a'), null)
    assert.is(fitsPattern('a'.repeat(201), 'a'), null)
  })

  test('a schema that refers to itself, or is as deep or wide as somebody likes, is read to a bound', () => {
    const cyclic = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }
    assert.ok(readSlots(cyclic).length === 1)
    let deep: Record<string, unknown> = { type: 'string' }
    for (let i = 0; i < 500; i += 1) deep = { type: 'object', properties: { in: deep }, required: ['in'] }
    assert.is(readSlots(deep).length, 1)
    const wide = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`slot${i}`, { type: 'string' }])),
    }
    assert.is(readSlots(wide).length, 64)
    for (const schema of [cyclic, deep, wide])
      assert.ok(timed(() => run(schema, 'Find the thing named Bob in Oslo with 3 parts')) < PATIENCE_MS)
  })

  test('nothing that is no schema breaks the reading', () => {
    const odd: unknown[] = [
      null,
      7,
      'object',
      [],
      { properties: 3 },
      { properties: { a: null, b: 4, c: [] } },
      { required: 'a' },
      {
        properties: {
          a: { type: ['null', 'string'] },
          b: { enum: [] },
          c: { anyOf: [] },
          d: { items: 4, type: 'array' },
        },
      },
    ]
    for (const schema of odd) assert.ok(Array.isArray(readSlots(schema)))
  })

  test('a slot named like a part of every object pollutes nothing', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"object","properties":{"polluted":{"type":"integer"}},"required":["polluted"]},"constructor":{"type":"object","properties":{"prototype":{"type":"integer","description":"number"}},"required":["prototype"]}},"required":["__proto__","constructor"]}',
    ) as unknown
    const decision = run(schema, 'polluted 42 number 43 prototype 44')
    assert.is(({} as Record<string, unknown>)['polluted'], undefined)
    assert.is(decision.kind, 'call')
  })

  test('the words of other dialects are mapped', () => {
    const slots = readSlots({
      type: 'dict',
      properties: {
        a: { type: 'float' },
        b: { type: 'tuple', items: { type: 'int' } },
        c: { type: 'any' },
        d: { type: 'dict', properties: { e: { type: 'bool' } } },
        f: { anyOf: [{ type: 'null' }, { type: 'string', format: 'email' }] },
        g: { $ref: '#/$defs/size' },
      },
      $defs: { size: { type: 'string', enum: ['s', 'm'] } },
    })
    assert.equal(
      slots.map((slot) => slot.type),
      ['number', 'array', 'any', 'object', 'string', 'string'],
    )
    assert.is(slots[1]?.items?.type, 'integer')
    assert.is(slots[3]?.fields[0]?.type, 'boolean')
    assert.is(slots[4]?.format, 'email')
    assert.equal(slots[5]?.choices, ['s', 'm'])
  })

  test('defaults and values named in a description are heard', () => {
    const [unit, limit, kind, none] = readSlots({
      properties: {
        unit: { type: 'string', description: "Either 'metric' or 'imperial'. Default is 'metric'." },
        limit: { type: 'integer', description: 'How many, defaults to 10.' },
        kind: { type: 'string', description: 'Options: single, double, suite' },
        none: { type: 'string', description: 'Default is none' },
      },
    })
    assert.equal([unit?.fallback, limit?.fallback, none?.fallback], ['metric', 10, undefined])
    assert.equal(
      [unit?.hints, kind?.hints],
      [
        ['metric', 'imperial'],
        ['single', 'double', 'suite'],
      ],
    )
  })
})
