import fc from 'fast-check'

import { WaggleError } from '#shared/errors/waggle-error.ts'
import { pack, unpack } from '#shared/wire/codec.ts'
import { MAX_PAYLOAD_BYTES, decodeEnvelope, decodeReply, encodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import type { Reply } from '#shared/wire/envelope.ts'
import { decodeEvent, encodeEvent } from '#shared/wire/event.ts'
import { MAX_DEPTH, isPlainMessagePack } from '#shared/wire/shape.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { addresses, counts, envelope, jsonValue, texts } from './arbitraries.ts'
import { BARE, COMMAND, SAMPLES, comparable, hex } from './samples.ts'

function codeOf(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    assert.instance(error, WaggleError)
    return (error as WaggleError).code
  }
  return 'none'
}

const REFUSALS = new Set(['UNDECODABLE', 'WIRE_VERSION'])
const DECODERS = { decodeEnvelope, decodeReply, decodeEvent, unpack }

/** Decoding fails by its code or not at all, and leaves the decoder as it was. */
function survives(bytes: Uint8Array): void {
  for (const decode of Object.values(DECODERS)) {
    const code = codeOf(() => decode(bytes))
    assert.ok(code === 'none' || REFUSALS.has(code), code)
  }
  assert.equal(decodeEnvelope(encodeEnvelope(COMMAND)), COMMAND)
}

suite('codec', ({ test }) => {
  test('what JSON can say comes back', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        assert.equal(unpack(pack(value)), value)
        assert.ok(isPlainMessagePack(pack(value)))
      }),
      { numRuns: 1000 },
    )
  })

  test('envelopes come back, field by field', () => {
    fc.assert(
      fc.property(envelope, (value) => {
        assert.equal(decodeEnvelope(encodeEnvelope(value)), value)
      }),
      { numRuns: 500 },
    )
  })

  test('events come back', () => {
    const event = fc.record(
      {
        id: texts,
        type: texts,
        version: counts,
        by: addresses,
        epoch: counts,
        control: counts,
        at: counts,
        trace: fc.string({ unit: 'grapheme' }),
        payload: jsonValue,
      },
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(event, (value) => {
        assert.equal(decodeEvent(encodeEvent(value)), value)
      }),
    )
  })

  test('replies come back, errors with code, details and whether they were expected', () => {
    const reply: fc.Arbitrary<Reply> = fc.oneof(
      fc.record({ kind: fc.constant('value'), epoch: counts, value: jsonValue }, { noNullPrototype: true }),
      fc.record(
        { kind: fc.constant('item'), epoch: counts, number: counts, value: jsonValue },
        { noNullPrototype: true },
      ),
      fc.record({ kind: fc.constant('end'), epoch: counts, number: counts }, { noNullPrototype: true }),
      fc.record(
        {
          kind: fc.constant('error'),
          epoch: counts,
          error: fc
            .tuple(
              fc.constantFrom('BUSY', 'DEADLINE', 'INTERNAL'),
              fc.dictionary(texts, fc.integer(), { noNullPrototype: true }),
              fc.boolean(),
            )
            .map(([code, details, expected]) => new WaggleError(code, { ...details }, { expected })),
        },
        { noNullPrototype: true },
      ),
    )
    fc.assert(
      fc.property(reply, (value) => {
        assert.equal(comparable(decodeReply(encodeReply(value))), comparable(value))
      }),
    )
  })

  test('bytes from anywhere are refused by their code and never break the decoder', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 5000 })
  })

  test('real messages, damaged: bytes flipped, cut, doubled', () => {
    const samples = Object.values(SAMPLES).map(({ encode }) => Uint8Array.from(encode()))
    const damaged = fc
      .tuple(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.boolean(),
      )
      .map(([bytes, flips, cut, double]) => {
        const copy = Uint8Array.from(bytes)
        for (const [at, value] of flips) copy[at % copy.length] = value
        return double ? Buffer.concat([copy, copy]) : copy.subarray(0, cut % (copy.length + 1))
      })
    fc.assert(fc.property(damaged, survives), { numRuns: 5000 })
  })

  test('a message cut anywhere is undecodable, and so is one with something behind it', () => {
    for (const { encode } of Object.values(SAMPLES)) {
      const bytes = encode()
      for (let end = 0; end < bytes.byteLength; end++)
        assert.is(
          codeOf(() => unpack(bytes.subarray(0, end))),
          'UNDECODABLE',
        )
      assert.is(
        codeOf(() => unpack(Buffer.concat([bytes, Uint8Array.of(0)]))),
        'UNDECODABLE',
      )
    }
  })

  test('fields of the wrong type are undecodable, one by one', () => {
    const wrong: Record<string, unknown[]> = {
      decodeEnvelope: unpack(encodeEnvelope(COMMAND)) as unknown[],
      decodeEvent: unpack(SAMPLES['event-fact']!.encode()) as unknown[],
      decodeReply: unpack(SAMPLES['reply-item']!.encode()) as unknown[],
    }
    // An object whose conversion to text fails, which careless checks trip over.
    const odd = { toString: 1, valueOf: 1 }
    for (const [decoder, fields] of Object.entries(wrong)) {
      const decode = DECODERS[decoder as keyof typeof DECODERS]
      for (const index of fields.keys()) {
        if (decoder === 'decodeReply' ? index === 3 : index === fields.length - 1) continue // the payload may be anything
        const bytes = pack(fields.with(index, odd))
        assert.is(
          codeOf(() => decode(bytes)),
          index === 0 ? 'WIRE_VERSION' : 'UNDECODABLE',
          `${decoder} ${index}`,
        )
      }
      assert.is(
        codeOf(() => decode(pack(fields.with(0, 2)))),
        'WIRE_VERSION',
      )
    }
    for (const [index, value] of [
      [7, -1],
      [7, 1.5],
      [7, 2 ** 60],
      [6, ['no-slash']],
      [5, '/k'],
      [1, ''],
      [11, ['ann']],
    ] as const) {
      assert.is(
        codeOf(() => decodeEnvelope(pack(wrong['decodeEnvelope']!.with(index, value)))),
        'UNDECODABLE',
      )
    }
  })

  test('an error of an unknown code is INTERNAL; names every object has are no codes', () => {
    for (const code of ['NEVER_HEARD_OF', 'toString', 'constructor', '__proto__', '']) {
      const reply = decodeReply(pack([1, 3, 0, [code, {}, true]]))
      assert.is(reply.kind === 'error' && reply.error.code, 'INTERNAL', code)
    }
    for (const value of [null, 'BUSY', [], ['BUSY'], [7, {}, true], ['BUSY', 'text', true], ['BUSY', [1], true]]) {
      assert.is(
        codeOf(() => decodeReply(pack([1, 3, 0, value]))),
        'UNDECODABLE',
      )
    }
  })

  test('later fields of a newer sender are ignored', () => {
    const longer = [...(unpack(encodeEnvelope(BARE)) as unknown[]), 'something new']
    assert.equal(decodeEnvelope(pack(longer)), BARE)
  })

  test('no stranger makes our decoder build its own kinds of objects', () => {
    const strangers = {
      'a record definition': 'd4720140',
      'a regular expression': 'd4780193a3616263a167',
      'an error': 'd4650193a3616263a16701',
      'a set': 'd4730193a3616263a16701',
      'a reference': 'd56900' + '01',
      'a typed array': 'c7087400' + '00'.repeat(8),
      'an unknown extension': 'd40100',
      'a number as key': '810101',
      'a map as key': '818001',
      'the unused byte': 'c1',
      'an array that promises millions': 'dd01e00000',
      'a map that promises millions': 'df01e0000000',
      'a string longer than the message': 'd9ff61',
      'binary longer than the message': 'c6ffffffff61',
    }
    for (const [what, text] of Object.entries(strangers)) {
      assert.is(
        codeOf(() => unpack(Buffer.from(text, 'hex'))),
        'UNDECODABLE',
        what,
      )
      assert.is(
        codeOf(() => unpack(Buffer.from(`92${text}40`, 'hex'))),
        'UNDECODABLE',
        `${what}, inside`,
      )
    }
    assert.is(unpack(Buffer.from('40', 'hex')), 64)
    assert.equal(unpack(pack(new Date(5))), new Date(5))
  })

  test('nesting is bounded, on the way in and on the way out', () => {
    const nested = (depth: number): Uint8Array => Buffer.concat([Buffer.alloc(depth, 0x91), Uint8Array.of(1)])
    assert.ok(isPlainMessagePack(nested(MAX_DEPTH - 1)))
    assert.not(isPlainMessagePack(nested(MAX_DEPTH)))
    assert.is(
      codeOf(() => unpack(nested(600_000))),
      'UNDECODABLE',
    )
    const cycle: unknown[] = []
    cycle.push(cycle)
    assert.is(
      codeOf(() => pack(cycle)),
      'BAD_INPUT',
    )
    let deep: unknown = 1
    for (let depth = 0; depth < MAX_DEPTH; depth++) deep = [deep]
    for (const unreadable of [deep, new Map([[1, 2]]), 2n ** 70n]) {
      assert.is(
        codeOf(() => pack(unreadable)),
        'BAD_INPUT',
      )
    }
    assert.is(
      codeOf(() => pack(Symbol('no'))),
      'BAD_INPUT',
    )
    assert.equal(unpack(pack([1])), [1])
  })

  test('a key named __proto__ changes no prototype', () => {
    const decoded = unpack(pack(JSON.parse('{"__proto__": {"polluted": true}}'))) as object
    assert.is(Reflect.get(decoded, 'polluted'), undefined)
    assert.is(Object.getPrototypeOf(decoded), Object.prototype)
  })

  test('what is too large is refused before it is sent', () => {
    const payload = 'x'.repeat(MAX_PAYLOAD_BYTES)
    assert.is(
      codeOf(() => encodeEnvelope({ ...COMMAND, payload })),
      'TOO_LARGE',
    )
    const event = { id: 'e', type: 't', version: 1, by: 'a/b', epoch: 0, control: 0, at: 0, trace: '' } as const
    assert.is(
      codeOf(() => encodeEvent({ ...event, payload })),
      'TOO_LARGE',
    )
    assert.ok(encodeEnvelope({ ...BARE, payload: 'x'.repeat(MAX_PAYLOAD_BYTES - 100) }).byteLength <= MAX_PAYLOAD_BYTES)
  })

  test('two encodings in a row do not share their bytes', () => {
    const first = encodeEnvelope(COMMAND)
    const before = hex(first)
    for (let index = 0; index < 200; index++) encodeEnvelope({ ...COMMAND, payload: 'y'.repeat(index) })
    assert.is(hex(first), before)
  })
})
