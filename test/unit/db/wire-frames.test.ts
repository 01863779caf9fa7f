import {
  AnswerReader,
  fatal,
  forgetStatements,
  frameAt,
  queryMessage,
  renameStatement,
} from '#shared/db/embedded/wire-frames.ts'
import type { Frame } from '#shared/db/embedded/wire-frames.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** A message of the protocol: type, length, body. */
function message(type: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length)
  bytes.write(type)
  bytes.writeInt32BE(4 + body.length, 1)
  bytes.write(body, 5, 'latin1')
  return bytes
}

function frame(type: string, body: string): Frame {
  return { type, bytes: message(type, body) }
}

const ignore = (): void => {}

suite('wire frames', ({ test }) => {
  test('are found only when they are whole', () => {
    const stream = Buffer.concat([message('P', 'abc\0'), message('S', '')])
    for (let cut = 0; cut < 9; cut++) assert.is(frameAt(stream.subarray(0, cut), 0), null, `${cut} bytes`)
    assert.is(frameAt(stream, 0)?.type, 'P')
    assert.is(frameAt(stream, 9)?.type, 'S')
    assert.is(frameAt(stream, 14), null)
    assert.throws(() => frameAt(Buffer.from([81, 0, 0, 0, 1, 0]), 0))
  })

  test('have their statement renamed where one is named, with the length set right', () => {
    const seen: string[] = []
    const cases: [Frame, Buffer][] = [
      [frame('P', 'name\0select 1\0\0\0'), message('P', 'c7_name\0select 1\0\0\0')],
      [frame('B', 'portal\0name\0\0\0'), message('B', 'portal\0c7_name\0\0\0')],
      [frame('B', '\0name\0\0\0'), message('B', '\0c7_name\0\0\0')],
      [frame('D', 'Sname\0'), message('D', 'Sc7_name\0')],
      [frame('C', 'Sname\0'), message('C', 'Sc7_name\0')],
    ]
    for (const [given, expected] of cases) {
      const renamed = renameStatement(given, 'c7_', (name) => seen.push(name))
      assert.is(renamed.toString('latin1'), expected.toString('latin1'))
    }
    assert.equal(seen, ['c7_name'])
  })

  test('stay as they are where the statement has no name, or where a portal is meant', () => {
    for (const each of [
      frame('P', '\0select 1\0'),
      frame('B', 'portal\0\0\0'),
      frame('D', 'Pname\0'),
      frame('Q', 'x\0'),
      frame('S', ''),
    ]) {
      assert.is(renameStatement(each, 'c7_', ignore), each.bytes)
    }
    assert.throws(() => renameStatement(frame('P', 'without an end'), 'c7_', ignore))
  })

  test('of an answer are followed through pieces cut anywhere', () => {
    const answer = Buffer.concat([
      message('T', 'columns'),
      message('D', 'Z'.repeat(50)),
      message('C', 'x'),
      message('Z', 'I'),
    ])
    for (let size = 1; size <= answer.length; size++) {
      const reader = new AnswerReader()
      for (let at = 0; at < answer.length; at += size) {
        assert.is(reader.ready, false)
        reader.read(answer.subarray(at, at + size))
      }
      assert.is(reader.ready, true, `pieces of ${size}`)
    }
    const midway = new AnswerReader()
    midway.read(message('Z', 'I'))
    midway.read(message('T', 'more'))
    assert.is(midway.ready, false)
  })

  test('that the gate says itself are whole messages', () => {
    for (const bytes of [queryMessage('ROLLBACK'), fatal('25P03', 'too long'), forgetStatements(['a', 'b'])]) {
      let at = 0
      for (let next = frameAt(bytes, 0); next !== null; next = frameAt(bytes, at)) at += next.bytes.length
      assert.is(at, bytes.length)
    }
  })
})
