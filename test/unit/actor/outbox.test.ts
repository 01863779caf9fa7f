import { COMMANDS, EVENTS } from '#shared/actor/streams.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { CONTROL_CHANGED } from '#shared/wire/event.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Sender, inbox, listOf, said, sender, unsent } from './senders.ts'

suite('the outbox', ({ test }) => {
  test('is relayed in the order of the commits, through lost and late answers of the broker', async () => {
    const kit = testSystem({ storeLatencyMs: 2, brokerFaults: { latencyMaxMs: 20 } })
    await kit.node('a', sender, inbox)
    Object.assign(kit.broker.faults, { lostAppendAnswerRate: 0.2, lateAppendAnswerRate: 0.3, lateAppendAnswerMs: 500 })
    const numbers = Array.from({ length: 30 }, (_, index) => index)
    const ref = kit.reach().ref(Sender, 's')
    const insist = async (n: number): Promise<void> => {
      for (let accepted = false; !accepted;)
        accepted = await ref.tell('send', { n }, { id: `c${n}` }).then(
          () => true,
          () => false,
        )
    }
    const sending = async (): Promise<void> => {
      for (const n of numbers) await insist(n)
    }
    await kit.clock.settle(sending())
    Object.assign(kit.broker.faults, { lostAppendAnswerRate: 0, lateAppendAnswerRate: 0 })
    await kit.settled()
    assert.equal(await listOf(kit), numbers)
    assert.equal(await said(kit), numbers)
    await kit.clock.advance(1_000)
    assert.is(unsent(kit), 0)
    await kit.close()
  })

  test('of a holder that died is relayed by the next before anything of its own', async () => {
    let latencyMs = 1
    const kit = testSystem({ storeLatencyMs: () => latencyMs, limits: { leaseMs: 2_000 } })
    await kit.node('a', sender, inbox)
    const row = kit.database.outbox.size
    await kit.clock.settle(kit.reach().ref(Sender, 's').tell('send', { n: 1 }))
    await kit.clock.until(() => kit.database.outbox.size > row)
    kit.kill('a')
    assert.is(unsent(kit), 1)
    latencyMs = 300
    const next = kit.make('b', [sender, inbox])
    const started = next.start()
    // Asked as soon as somebody listens: before it has read what was left unsent.
    await kit.clock.until(() => kit.database.epochs.get('sender/0')?.holder === 'b')
    const poked = kit.reach().ref(Sender, 's').ask('poke', { n: 2 })
    await kit.clock.settle(started)
    assert.is(await kit.clock.settle(poked), 2)
    await kit.settled()
    assert.equal(await said(kit), [1, 2])
    assert.equal(await listOf(kit), [1])
    await kit.close()
  })

  test('a row older than the broker remembers ids is not told twice', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('a', sender, inbox)
    await kit.clock.settle(kit.reach().ref(Sender, 's').tell('send', { n: 1 }))
    // Relayed, and killed before the row is marked.
    await kit.clock.until(() => kit.journal.some((entry) => entry.name === 'commit:done'))
    await kit.clock.advance(10)
    kit.kill('a')
    assert.is(unsent(kit), 1)
    await kit.clock.advance(600_000)
    await kit.node('b', sender, inbox)
    await kit.settled()
    await kit.clock.advance(1_000)
    assert.equal(await said(kit), [1])
    assert.is((await kit.log()).filter((entry) => entry.event.type === 'sender:sent').length, 1)
    assert.equal(await listOf(kit), [1])
    await kit.clock.advance(1_000)
    assert.is(unsent(kit), 0)
    await kit.close()
  })

  test('a step whose fate was unknown is found, and what it said is relayed once', async () => {
    for (const faults of [{ lostAnswerRate: 1 }, { lateRate: 1, lateMs: 400 }]) {
      const kit = testSystem({ storeLatencyMs: 2, limits: { retryFirstMs: 100 } })
      await kit.node('a', sender, inbox)
      await kit.clock.settle(kit.reach().ref(Sender, 's').confirm('send', { n: 1 }))
      Object.assign(kit.database.faults, faults)
      await kit.clock.settle(kit.reach().ref(Sender, 's').tell('send', { n: 2 }))
      await kit.clock.advance(50)
      Object.assign(kit.database.faults, { lostAnswerRate: 0, lateRate: 0 })
      await kit.clock.settle(kit.reach().ref(Sender, 's').tell('send', { n: 3 }))
      await kit.clock.advance(5_000)
      await kit.settled()
      assert.equal(
        [await listOf(kit), await said(kit)],
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
      )
      await kit.close()
    }
  })

  test('an addressee that stays full gets a dead letter instead, and the sender goes on', async () => {
    const kit = testSystem({ limits: { mailbox: 2, window: 4, relayGiveUpMs: 5_000 } })
    await kit.node('a', sender)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3, 4]) {
      await kit.clock.settle(ref.confirm('send', { n }))
      await kit.clock.advance(6_000)
    }
    await kit.clock.advance(30_000)
    assert.equal(
      [...kit.database.letters.values()].map((letter) => letter.code),
      ['MAILBOX_FULL', 'MAILBOX_FULL'],
    )
    for (const letter of kit.database.letters.values()) {
      assert.ok(letter.attempts > 1 && letter.history.length === Math.min(letter.attempts, 20), 'each refusal is kept')
      assert.match(letter.id, /^unsent-[\w-]{22}$/)
    }
    assert.is(kit.journal.filter(({ name }) => name === 'letter:buried').length, 2)
    assert.equal(await said(kit), [1, 2, 3, 4])
    assert.is(unsent(kit), 0)
    await kit.node('b', inbox)
    await kit.settled()
    assert.equal(await listOf(kit), [1, 2])
    await kit.close()
  })
})

suite('a log that loses its tail', ({ test }) => {
  test('is another incarnation and tells every fact again, once', async () => {
    for (const reborn of [false, true]) {
      const kit = testSystem({ storeLatencyMs: 1 })
      const node = await kit.node('a', sender, inbox)
      const before = node.incarnation
      const ref = kit.reach().ref(Sender, 's')
      for (const n of [1, 2, 3, 4, 5]) await kit.clock.settle(ref.confirm('send', { n }))
      await kit.clock.advance(30_000)
      for (const n of [6, 7]) await kit.clock.settle(ref.confirm('send', { n }))
      await kit.clock.advance(1_000)
      kit.broker.loseTail(EVENTS, 3, { reborn })
      kit.broker.restart()
      await kit.clock.advance(20_000)
      await kit.clock.settle(ref.confirm('send', { n: 8 }))
      await kit.settled()
      assert.equal(
        (await said(kit)).toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8],
      )
      assert.is.not(node.incarnation, before)
      await kit.close()
    }
  })

  test('is another incarnation once more when all is there, as what is said again stands behind younger entries', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    const node = await kit.node('a', sender, inbox)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(1_000)
    const before = node.incarnation
    kit.broker.loseTail(EVENTS, 3)
    kit.broker.restart()
    await kit.clock.until(() => node.incarnation !== before, 20_000)
    const between = node.incarnation
    await kit.clock.until(() => node.incarnation !== between, 20_000)
    const whole = node.incarnation
    assert.equal(
      (await said(kit)).toSorted((a, b) => a - b),
      [1, 2, 3],
    )
    await kit.clock.advance(60_000)
    assert.is(node.incarnation, whole)
    await kit.close()
  })

  test('is another incarnation when all is there, also if its keeper was killed while it was mended', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('a', sender, inbox)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(1_000)
    const before = kit.database.marks.get(EVENTS)!.incarnation
    kit.broker.loseTail(EVENTS, 6)
    kit.broker.restart()
    await kit.clock.until(() => kit.database.marks.get(EVENTS)!.incarnation !== before, 20_000)
    const between = kit.database.marks.get(EVENTS)!.incarnation
    await kit.clock.advance(500)
    assert.is((await said(kit)).length, 3, 'all is said again')
    assert.is(kit.database.marks.get(EVENTS)!.incarnation, between, 'and nobody has looked whether it counts')
    kit.kill('a')
    const node = await kit.node('b', sender, inbox)
    await kit.clock.advance(30_000)
    assert.is.not(node.incarnation, between)
    assert.equal(
      (await said(kit)).toSorted((a, b) => a - b),
      [1, 2, 3],
    )
    await kit.close()
  })

  test('facts of an actor that was taken over meanwhile count all the same', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('a', sender, inbox)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(1_000)
    kit.kill('a')
    kit.broker.loseTail(EVENTS, 6)
    kit.broker.restart()
    const next = kit.make('b', [sender, inbox])
    void next.start()
    await kit.clock.settle(ref.confirm('send', { n: 4 }, { within: '30s' }))
    await kit.clock.advance(30_000)
    assert.equal(
      (await said(kit)).toSorted((a, b) => a - b),
      [1, 2, 3, 4],
    )
    await kit.close()
  })

  test('what was said before the voice was moved counts all the same, also behind that', async () => {
    const kit = testSystem({ storeLatencyMs: 50 })
    await kit.node('a', sender)
    const ref = kit.reach().ref(Sender, 's')
    await kit.clock.settle(ref.confirm('move', { control: 1 }))
    await kit.clock.settle(ref.confirm('speak', { n: 1, control: 1 }))
    await kit.clock.advance(1_000)
    kit.broker.loseTail(EVENTS, 1)
    kit.broker.restart()
    await kit.clock.settle(ref.confirm('move', { control: 2 }, { within: '30s' }))
    await kit.clock.advance(30_000)
    const moved = (await kit.log()).filter(
      ({ event }) => event.type === CONTROL_CHANGED || event.type === 'sender:sent',
    )
    const order = moved.map(({ event }) => event.type)
    assert.equal(order, [CONTROL_CHANGED, CONTROL_CHANGED, 'sender:sent'], 'the order that this test is about')
    assert.equal(await said(kit), [1])
    await kit.close()
  })

  test('what is said again while its actor is taken over once more counts in the end', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('k', inbox)
    await kit.node('a', sender)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(1_000)
    kit.broker.loseTail(EVENTS, 6)
    kit.broker.restart()
    for (const name of ['b', 'c', 'd', 'e']) {
      kit.kill(name === 'b' ? 'a' : String.fromCharCode(name.charCodeAt(0) - 1))
      void kit.make(name, [sender]).start()
      await kit.clock.settle(ref.confirm('send', { n: name.charCodeAt(0) }, { within: '30s' }))
    }
    await kit.clock.advance(60_000)
    assert.equal(
      (await said(kit)).toSorted((a, b) => a - b),
      [1, 2, 3, 98, 99, 100, 101],
    )
    await kit.close()
  })

  test('commands between actors that went with it are sent again, and handled once', async () => {
    const kit = testSystem({ storeLatencyMs: 1, limits: { leaseMs: 2_000 } })
    await kit.node('a', sender)
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    await kit.clock.advance(1_000)
    kit.broker.loseTail(COMMANDS, 2)
    kit.broker.restart()
    await kit.clock.advance(20_000)
    await kit.node('b', inbox)
    await kit.settled()
    assert.equal(await listOf(kit), [1, 2, 3])
    await kit.close()
  })

  test('a broker that only went away and came back has lost nothing', async () => {
    const kit = testSystem({ storeLatencyMs: 1 })
    const node = await kit.node('a', sender, inbox)
    const before = node.incarnation
    const ref = kit.reach().ref(Sender, 's')
    for (const n of [1, 2, 3]) await kit.clock.settle(ref.confirm('send', { n }))
    kit.broker.restart()
    await kit.clock.advance(20_000)
    assert.is(node.incarnation, before)
    assert.equal(await said(kit), [1, 2, 3])
    await kit.close()
  })
})
