import type { InboundMessage, StoredMessage, StreamSpec, Transport } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, eventually, text, unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function streamContract(label: string, start: StartWorld): void {
  suite(`${label}: streams`, ({ test, before, after }) => {
    let world: TransportWorld
    let alice: Transport
    let bob: Transport
    before(async () => {
      world = await start()
      alice = await world.connect('alice')
      bob = await world.connect('bob')
    })
    after(() => world.close())

    const log = async (settings: Partial<StreamSpec> = {}): Promise<{ name: string; root: string }> => {
      const name = unique('LOG')
      const root = unique('log')
      await alice.ensureStream({
        name,
        subjects: [`${root}.>`],
        retention: 'age',
        maxAgeMs: 60_000,
        duplicateWindowMs: 60_000,
        ...settings,
      })
      return { name, root }
    }
    const append = async (subject: string, ...items: string[]): Promise<number[]> => {
      const appended = items.map((item) => alice.append(subject, bytes(item), { messageId: unique('id') }))
      return (await Promise.all(appended)).map(({ sequence }) => sequence)
    }
    const contents = async (
      name: string,
      filters: readonly string[],
      from = 1,
    ): Promise<{ sequence: number; text: string }[]> => {
      const found: { sequence: number; text: string }[] = []
      for await (const { sequence, data } of bob.read(name, { filters, from }))
        found.push({ sequence, text: text(data) })
      return found
    }

    test('stores what is appended, in the order it was sent', async () => {
      const { name, root } = await log()
      const items = Array.from({ length: 500 }, (_, index) => String(index))
      const sequences = await append(`${root}.a`, ...items)
      assert.equal(
        sequences,
        items.map((_, index) => index + 1),
      )
      assert.equal(
        (await contents(name, [`${root}.>`])).map((found) => found.text),
        items,
      )
    })

    test('an empty one goes on at a sequence that is far away, and never goes back', async () => {
      const { name, root } = await log()
      const far = 2 ** 40 + 7
      await alice.startAt(name, far)
      await bob.startAt(name, 12)
      assert.is((await alice.streamInfo(name)).lastSequence, far - 1)
      assert.equal(await append(`${root}.a`, 'one', 'two'), [far, far + 1])
      assert.equal(
        (await contents(name, [`${root}.>`], 1)).map(({ sequence }) => sequence),
        [far, far + 1],
      )
      assert.is((await bob.last(name, `${root}.a`))?.sequence, far + 1)
      assert.is((await bob.at(name, far))?.sequence, far)
    })

    test('stores one message id once and says which it was', async () => {
      const { name, root } = await log()
      const first = await alice.append(`${root}.a`, bytes('1'), { messageId: 'same' })
      await append(`${root}.a`, 'between')
      const again = await bob.append(`${root}.a`, bytes('1'), { messageId: 'same' })
      assert.equal(
        [first, again],
        [
          { sequence: 1, duplicate: false },
          { sequence: 1, duplicate: true },
        ],
      )
      assert.is((await alice.streamInfo(name)).messages, 2)
    })

    test('two appends of one id at the same time are stored once', async () => {
      const { name, root } = await log()
      const both = await Promise.all(
        [alice, bob].map((each) => each.append(`${root}.a`, bytes('x'), { messageId: 'one' })),
      )
      assert.equal(both.map(({ duplicate }) => String(duplicate)).toSorted(), ['false', 'true'])
      assert.is((await alice.streamInfo(name)).messages, 1)
    })

    test('forgets a message id after the window', async () => {
      const { root } = await log({ duplicateWindowMs: 150 })
      await alice.append(`${root}.a`, bytes('x'), { messageId: 'again' })
      await eventually(async () => !(await alice.append(`${root}.a`, bytes('x'), { messageId: 'again' })).duplicate)
    })

    test('an age stream lets go of the oldest instead of refusing', async () => {
      const { name, root } = await log({ maxMessages: 3 })
      await append(`${root}.a`, '1', '2', '3', '4', '5')
      assert.equal(await contents(name, [`${root}.>`]), [
        { sequence: 3, text: '3' },
        { sequence: 4, text: '4' },
        { sequence: 5, text: '5' },
      ])
      const info = await alice.streamInfo(name)
      assert.equal([info.firstSequence, info.lastSequence, info.messages], [3, 5, 3])
    })

    test('an age stream lets go of what is too old', async () => {
      const { name, root } = await log({ maxAgeMs: 200, duplicateWindowMs: 100 })
      await append(`${root}.a`, '1')
      await eventually(async () => (await alice.streamInfo(name)).messages === 0)
      assert.is(await alice.last(name, `${root}.a`), null)
      assert.is((await alice.streamInfo(name)).lastSequence, 1)
    })

    test('ensureStream brings limits up to date and keeps what is stored; many may do it at once', async () => {
      const { name, root } = await log({ maxMessages: 2 })
      await append(`${root}.a`, '1', '2', '3')
      const { created } = await alice.streamInfo(name)
      const spec: StreamSpec = {
        name,
        subjects: [`${root}.>`],
        retention: 'age',
        maxAgeMs: 60_000,
        maxMessages: 10,
        duplicateWindowMs: 60_000,
      }
      await Promise.all([alice.ensureStream(spec), bob.ensureStream(spec), alice.ensureStream(spec)])
      await append(`${root}.a`, '4', '5')
      assert.equal(
        (await contents(name, [`${root}.>`])).map((found) => found.text),
        ['2', '3', '4', '5'],
      )
      assert.is((await bob.streamInfo(name)).created, created)
    })

    test('tells how many messages each subject holds', async () => {
      const { name, root } = await log()
      await append(`${root}.a.x`, '1', '2')
      await append(`${root}.b.x`, '3')
      await append(`${root}.b.y`, '4')
      const { subjects } = await bob.streamInfo(name, `${root}.*.x`)
      assert.equal(
        [...subjects].sort(([a], [b]) => a.localeCompare(b)),
        [
          [`${root}.a.x`, 2],
          [`${root}.b.x`, 1],
        ],
      )
      assert.is((await bob.streamInfo(name)).subjects.size, 0)
    })

    test('reads several subjects merged in stream order, from a sequence on', async () => {
      const { name, root } = await log()
      for (let turn = 0; turn < 5; turn++) {
        await append(`${root}.s1.pub`, `p${turn}`)
        await append(`${root}.s1.ops`, `o${turn}`)
        await append(`${root}.s1.sys`, `s${turn}`)
        await append(`${root}.s2.pub`, `other${turn}`)
      }
      const audiences = await contents(name, [`${root}.s1.pub`, `${root}.s1.ops`], 5)
      assert.equal(
        audiences.map((found) => found.text),
        ['p1', 'o1', 'p2', 'o2', 'p3', 'o3', 'p4', 'o4'],
      )
      const scopes = await contents(name, [`${root}.s2.pub`, `${root}.s1.sys`], 1)
      assert.equal(
        scopes.map((found) => found.text),
        ['s0', 'other0', 's1', 'other1', 's2', 'other2', 's3', 'other3', 's4', 'other4'],
      )
      assert.equal(await contents(name, [`${root}.s1.*`, `${root}.s1.pub`], 19), [{ sequence: 19, text: 's4' }])
      assert.equal(await contents(name, [`${root}.s3.pub`], 1), [])
      assert.equal(await contents(name, [`${root}.>`], 21), [])
    })

    test('a read ends at the tail while appends go on', async () => {
      const { name, root } = await log()
      await append(`${root}.a`, ...Array.from({ length: 700 }, (_, index) => String(index)))
      const found: StoredMessage[] = []
      for await (const message of bob.read(name, { filters: [`${root}.>`], from: 1 })) {
        if (found.length === 0) await append(`${root}.a`, 'late')
        if (found.length === 400) await append(`${root}.a`, 'later')
        found.push(message)
      }
      const last = found.at(-1)!
      assert.equal([found.length, last.sequence, text(last.data)], [700, 700, '699'])
    })

    test('readers apart end at one tail: what is read has no holes, however fast others append', async () => {
      const { name, root } = await log()
      let writing = true
      const write = async (lane: number): Promise<void> => {
        for (let item = lane; writing; item++) await append(`${root}.s${item % 3}.pub`, String(item))
      }
      const writers = Promise.all(Array.from({ length: 32 }, (_, lane) => write(lane)))
      try {
        for (let round = 0; round < 20; round++) {
          const filters = ['s0', 's1', 's2'].map((scope) => `${root}.${scope}.pub`)
          const found = await contents(name, filters, 1)
          assert.equal(
            found.map(({ sequence }) => sequence),
            found.map((_, index) => index + 1),
          )
        }
      } finally {
        writing = false
        await writers
      }
    })

    test('overlapping filters give each message once', async () => {
      const { name, root } = await log()
      await append(`${root}.a.x`, '1')
      await append(`${root}.b.x`, '2')
      const found = await contents(name, [`${root}.a.x`, `${root}.>`, `${root}.*.x`])
      assert.equal(
        found.map((each) => each.text),
        ['1', '2'],
      )
    })

    test('a read of large messages is whole', async () => {
      const { name, root } = await log()
      const size = 700 * 1024
      for (let item = 0; item < 30; item++) {
        await alice.append(`${root}.a`, new Uint8Array(size).fill(item), { messageId: unique('id') })
      }
      const found: number[] = []
      for await (const { data } of bob.read(name, { filters: [`${root}.a`], from: 1 })) {
        assert.is(data.byteLength, size)
        found.push(data[size - 1]!)
      }
      assert.equal(
        found,
        Array.from({ length: 30 }, (_, item) => item),
      )
    })

    test('a read that is abandoned or cancelled leaves nothing behind', async () => {
      const { name, root } = await log()
      await append(`${root}.a`, ...Array.from({ length: 600 }, (_, index) => String(index)))
      for await (const message of bob.read(name, { filters: [`${root}.>`], from: 1 })) {
        if (message.sequence === 3) break
      }
      const controller = new AbortController()
      const cancelled = async (): Promise<void> => {
        for await (const message of bob.read(name, {
          filters: [`${root}.>`],
          from: 1,
          signal: controller.signal,
        })) {
          if (message.sequence === 2) controller.abort()
        }
      }
      assert.is(await codeOf(cancelled()), 'CANCELLED')
      assert.equal(await bob.consumers(name), [])
    })

    test('stored messages carry subject and time', async () => {
      const { name, root } = await log()
      const earliest = Date.now() - 1
      await append(`${root}.a`, 'x')
      for await (const message of bob.read(name, { filters: [`${root}.a`], from: 1 })) {
        assert.is(message.subject, `${root}.a`)
        assert.ok(message.at >= earliest && message.at <= Date.now() + 1, String(message.at))
      }
    })

    test('finds the last of a subject and any sequence', async () => {
      const { name, root } = await log()
      await append(`${root}.a`, '1')
      await append(`${root}.b`, '2')
      await append(`${root}.a`, '3', '')
      const last = await bob.last(name, `${root}.b`)
      assert.equal([last?.sequence, last?.subject, text(last!.data)], [2, `${root}.b`, '2'])
      const empty = await bob.last(name, `${root}.a`)
      assert.equal([empty?.sequence, empty?.data.byteLength], [4, 0])
      assert.is(await bob.last(name, `${root}.none`), null)
      const third = await bob.at(name, 3)
      assert.equal([third?.subject, text(third!.data)], [`${root}.a`, '3'])
      assert.ok(Math.abs(third!.at - Date.now()) < 10_000)
      assert.is(await bob.at(name, 99), null)
    })

    test('the live lane carries the sequence and that of the entry before it on its subject', async () => {
      const { root } = await log({ live: true })
      const seen = new Seen<InboundMessage>()
      const subscription = bob.subscribe(`live.${root}.>`, seen.add)
      await bob.flush()
      await append(`${root}.a`, '1')
      await append(`${root}.b`, '2')
      await append(`${root}.a`, '3')
      alice.publish(`${root}.b`, bytes('4'))
      await seen.count(4)
      assert.equal(
        seen.all.map(({ subject, data, sequence, previous }) => [subject, text(data), sequence, previous]),
        [
          [`live.${root}.a`, '1', 1, 0],
          [`live.${root}.b`, '2', 2, 0],
          [`live.${root}.a`, '3', 3, 1],
          [`live.${root}.b`, '4', 4, 2],
        ],
      )
      subscription.unsubscribe()
    })

    test('a duplicate append is not live a second time', async () => {
      const { root } = await log({ live: true })
      const seen = new Seen<string>()
      const subscription = bob.subscribe(`live.${root}.>`, ({ data }) => seen.add(text(data)))
      await bob.flush()
      for (const id of ['one', 'one', 'two']) await alice.append(`${root}.a`, bytes(id), { messageId: id })
      await seen.until(() => seen.all.includes('two'))
      assert.equal(seen.all, ['one', 'two'])
      subscription.unsubscribe()
    })

    test('close waits for the answers to what was appended', async () => {
      const { name, root } = await log()
      const leaver = await world.connect(unique('leaver'))
      const appended = Promise.all(
        Array.from({ length: 100 }, (_, item) =>
          leaver.append(`${root}.a`, bytes(String(item)), { messageId: unique('id') }),
        ),
      )
      await Promise.all([leaver.close(), appended])
      assert.is((await alice.streamInfo(name)).messages, 100)
    })

    test('fails coded where there is no stream, and on what is too large', async () => {
      const { root } = await log()
      assert.is(await codeOf(alice.append(unique('nowhere'), bytes('x'), { messageId: 'x' })), 'BROKER_DOWN')
      assert.is(await codeOf(alice.streamInfo(unique('NONE'))), 'BROKER_DOWN')
      const large = new Uint8Array(1024 * 1024 + 1)
      assert.is(await codeOf(alice.append(`${root}.a`, large, { messageId: 'large' })), 'TOO_LARGE')
    })
  })
}
