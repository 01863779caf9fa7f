import { readFile } from 'node:fs/promises'

import { DEFAULT_LIMITS } from '#shared/actor/limits.ts'
import { DEFAULT_STREAMS, streamSpecs } from '#shared/actor/streams.ts'
import { MessageIdHeaders } from '#shared/nats/message-id-headers.ts'
import { parseCursor } from '#shared/wire/cursor.ts'
import { MAX_HOPS, MAX_PAYLOAD_BYTES, WIRE_VERSION } from '#shared/wire/envelope.ts'
import { MAX_KEY_CHARS, decodeName } from '#shared/wire/names.ts'
import { MAX_DEPTH } from '#shared/wire/shape.ts'
import { MAX_SUBJECT_CHARS, parseSubject, partitionOf } from '#shared/wire/subjects.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { COMMAND, SAMPLES, hex } from './samples.ts'

const document = await readFile(new URL('../../../shared/wire/PROTOCOL.md', import.meta.url), 'utf8')

/** The bytes of a hex block: pairs of digits at the start of a line, up to the two spaces before the note. */
function blocks(): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name, body] of document.matchAll(/^```hex (\S+)\n([\s\S]*?)^```$/gm)) {
    const lines = body!.trimEnd().split('\n')
    const bytes = lines.map((line) => /^((?:[0-9a-f]{2} ?)+)(?: {2}|$)/.exec(line)?.[1] ?? `not hex: ${line}`)
    found.set(name!, bytes.join('').replaceAll(/\s/g, ''))
  }
  return found
}

/** Cells of the table rows under a heading line. */
function rows(firstColumn: string): string[][] {
  const lines = document.split('\n')
  const start = lines.findIndex((line) => new RegExp(`^\\| ${firstColumn} +\\|`).test(line))
  assert.ok(start >= 0, firstColumn)
  const body = lines.slice(start + 2)
  const end = body.findIndex((line) => !line.startsWith('|'))
  return body.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

suite('PROTOCOL.md', ({ test }) => {
  test('its session is what the code writes, byte by byte', () => {
    const session = blocks()
    assert.equal(
      [...session.keys()],
      ['header', 'envelope-command', 'reply-value', 'event-fact', 'event-delta', 'reply-error'],
    )
    assert.is(session.get('header'), hex(new MessageIdHeaders(COMMAND.id).encode()))
    for (const [name, bytes] of session) if (name !== 'header') assert.is(bytes, hex(SAMPLES[name]!.encode()), name)
  })

  test('its subjects are subjects, its cursor a cursor', () => {
    const literal = [...document.matchAll(/`((?:live\.)?t\.[a-z0-9.-]+)`/g)].map(([, subject]) => subject!)
    assert.ok(literal.length >= 3)
    for (const subject of literal) parseSubject(subject)
    const command = parseSubject('t.acme.cmd.11.supervisor.c-1042')
    assert.ok(document.includes('`t.acme.cmd.11.supervisor.c-1042`') && command.lane === 'cmd')
    assert.ok(parseCursor(/`([0-9a-z]+\.5120)`/.exec(document)![1]!))
    assert.is(decodeName('x-85hmqp908dnn4s0'), 'Acme Corp')
  })

  test('its lanes are all lanes', () => {
    const lanes = rows('subject').map(([subject]) => subject!)
    for (const lane of lanes) {
      const example = lane.replace('<partition>', '3').replace('<audience>', 'pub').replaceAll(/<\w+>/g, 'a')
      parseSubject(example)
    }
    assert.is(lanes.length, 10)
  })

  test('its partitions are where actors live', () => {
    for (const [tenant, kind, key, of, partition] of rows('tenant')) {
      assert.is(partitionOf(tenant!, kind!, key!, Number(of)), Number(partition))
    }
  })

  test('its streams are the streams there are', () => {
    const specs = streamSpecs(DEFAULT_LIMITS, DEFAULT_STREAMS)
    const documented = rows('stream').map(([name, subjects, retention, full]) => ({
      name,
      subjects,
      work: retention === 'work queue',
      perSubject: full!.includes('each subject'),
    }))
    assert.equal(
      specs.map((spec) => ({
        name: spec.name,
        subjects: [
          ...spec.subjects,
          ...(spec.exhaustedOf ?? []).map((of) => `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${of}.*`),
        ].join(' '),
        work: spec.retention === 'work',
        perSubject: spec.maxPerSubject !== undefined,
      })),
      documented,
    )
    assert.ok(specs.every(({ duplicateWindowMs }) => duplicateWindowMs === 120_000))
    assert.ok(specs.every(({ name, live }) => (live === true) === (name === 'EVT')))
  })

  test('its numbers are the limits', () => {
    assert.is(WIRE_VERSION, 1)
    for (const statement of [
      `At most ${MAX_SUBJECT_CHARS} characters`,
      `at most ${MAX_KEY_CHARS} characters`,
      `at most ${MAX_PAYLOAD_BYTES / 1024} KiB`,
      `at most ${MAX_DEPTH} levels`,
      `more than ${MAX_HOPS} is a loop`,
    ]) {
      assert.ok(document.includes(statement), statement)
    }
  })
})
