import type { Delivery, InboundMessage } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { MemoryWorld, bytesOf, textOf } from './memory-world.ts'

/** The simulator stands on these: each fault does what its name says, and the rest of the broker stays true. */
suite('faults of the memory broker', ({ test }) => {
  test('one seed is one run: every delivery at the same time in the same order', async () => {
    const history = async (seed: number): Promise<string[]> => {
      const world = await MemoryWorld.open(
        {
          latencyMinMs: 1,
          latencyMaxMs: 40,
          lostAckRate: 0.3,
          lateAppendAnswerRate: 0.3,
          lateAppendAnswerMs: 50,
          redeliveryOutOfOrder: true,
        },
        seed,
      )
      const lines: string[] = []
      const [one, two] = [world.broker.connect('one'), world.broker.connect('two')]
      const note = (who: string, what: string): void => void lines.push(`${world.clock.now()} ${who} ${what}`)
      for (const node of [one, two]) {
        node.subscribe('q', (message) => note(node.node, textOf(message)), { queue: 'q' })
        node.subscribe('live.>', ({ sequence, previous }) => note(node.node, `live ${sequence} ${previous}`))
      }
      await world.run(
        two.consume(world.consumer('d'), (delivery) => {
          note('two', `${textOf(delivery)} ${delivery.deliveries}`)
          delivery.ack()
        }),
      )
      for (let item = 0; item < 20; item++) {
        one.publish('q', bytesOf(`q${item}`))
        void world.append(one, 'cmd.a', String(item)).then(() => note('one', `stored ${item}`))
        void world.append(two, 'ev.s.pub', String(item))
        await world.clock.advance(7)
        if (item === 10) world.broker.pause('two')
        if (item === 15) world.broker.resume('two')
      }
      await world.clock.advance(10_000)
      return lines
    }
    const [first, again, other] = [await history(7), await history(7), await history(8)]
    assert.ok(first.length > 100)
    assert.equal(first, again)
    assert.is.not(first.join('\n'), other.join('\n'))
  })

  test('latency never reorders what one node sends to another', async () => {
    const world = await MemoryWorld.open({ latencyMinMs: 0, latencyMaxMs: 100 })
    const [from, to] = [world.broker.connect('from'), world.broker.connect('to')]
    const seen: string[] = []
    to.subscribe('s', (message) => seen.push(textOf(message)))
    await world.run(to.flush())
    for (let item = 0; item < 100; item++) {
      from.publish('s', bytesOf(String(item)))
      await world.clock.advance(item % 3)
    }
    await world.clock.advance(1_000)
    assert.equal(
      seen,
      Array.from({ length: 100 }, (_, item) => String(item)),
    )
  })

  test('a paused node gets nothing and says nothing; resumed, everything happens late', async () => {
    const world = await MemoryWorld.open()
    const [frozen, other] = [world.broker.connect('frozen'), world.broker.connect('other')]
    const stale: Delivery[] = []
    const held = await world.run(frozen.consume(world.consumer('d-e1'), (delivery) => stale.push(delivery)))
    let lost = ''
    void held.lost.then(({ code }) => (lost = code))
    await world.run(world.append(other, 'cmd.a', 'one'))
    await world.clock.advance(1)
    assert.equal(stale.map(textOf), ['one'])

    world.broker.pause('frozen')
    stale[0]!.ack()
    const heard: string[] = []
    other.subscribe('word', (message) => heard.push(textOf(message)))
    frozen.publish('word', bytesOf('late'))
    await world.run(world.append(other, 'cmd.a', 'two'))
    await world.run(other.deleteConsumer('CMD', 'd-e1'))
    const fresh: Delivery[] = []
    await world.run(other.consume(world.consumer('d-e2'), (delivery) => fresh.push(delivery)))
    await world.clock.advance(500)
    assert.equal([fresh.map(textOf), stale.length, heard, lost], [['one', 'two'], 1, [], ''])

    world.broker.resume('frozen')
    await world.clock.advance(100)
    // What was under way to it arrives, its late acknowledgement counts for nothing, and it learns that it has lost.
    assert.equal([stale.map(textOf), heard, lost], [['one', 'two'], ['late'], 'STALE_EPOCH'])
    assert.is((await world.run(other.streamInfo('CMD'))).messages, 2)
  })

  test('a partition loses what is under way, keeps a bounded rest, and fails what waits', async () => {
    const world = await MemoryWorld.open({ latencyMinMs: 10, latencyMaxMs: 10 })
    const [cut, other] = [world.broker.connect('cut'), world.broker.connect('other')]
    const heard: string[] = []
    other.subscribe('s', (message) => heard.push(textOf(message)))
    await world.run(other.flush())
    const status: string[] = []
    cut.onStatus((word) => status.push(word))
    cut.publish('s', bytesOf('lost'))
    const appended = codeOf(world.append(cut, 'cmd.a', 'unknown'))
    world.broker.partition('cut')
    cut.publish('s', bytesOf('waits'))
    assert.is(await world.run(appended), 'BROKER_DOWN')
    assert.is(await world.run(codeOf(cut.flush())), 'BROKER_DOWN')
    await world.clock.advance(1_000)
    assert.equal([status, heard], [['disconnected'], []])
    world.broker.heal('cut')
    await world.clock.advance(1_000)
    assert.equal([status, heard], [['disconnected', 'connected'], ['waits']])
  })

  test('the outcome of an append that failed is open: it may have been stored', async () => {
    const world = await MemoryWorld.open({ latencyMinMs: 10, latencyMaxMs: 10 })
    const node = world.broker.connect('node')
    const appended = codeOf(world.append(node, 'cmd.a', 'x', 'same-id'))
    await world.clock.advance(15)
    world.broker.partition('node')
    assert.is(await world.run(appended), 'BROKER_DOWN')
    world.broker.heal('node')
    assert.equal(await world.run(world.append(node, 'cmd.a', 'x', 'same-id')), { sequence: 1, duplicate: true })
  })

  test('a lost answer ends in BROKER_DOWN, and the repetition is a duplicate', async () => {
    const world = await MemoryWorld.open({ lostAppendAnswerRate: 1 })
    const node = world.broker.connect('node')
    assert.is(await world.run(codeOf(world.append(node, 'cmd.a', 'x', 'same-id'))), 'BROKER_DOWN')
    world.broker.faults.lostAppendAnswerRate = 0
    assert.equal(await world.run(world.append(node, 'cmd.a', 'x', 'same-id')), { sequence: 1, duplicate: true })
  })

  test('a late answer overtakes nothing and still arrives', async () => {
    const world = await MemoryWorld.open({ lateAppendAnswerRate: 1, lateAppendAnswerMs: 1_000 })
    const node = world.broker.connect('node')
    const from = world.clock.now()
    const times: number[] = []
    const all = Promise.all(
      Array.from({ length: 10 }, async (_, item) => {
        await world.append(node, 'cmd.a', String(item))
        times.push(world.clock.now() - from)
      }),
    )
    await world.run(all)
    assert.ok(Math.max(...times) > 100 && Math.max(...times) <= 1_000, times.join(' '))
    assert.is((await world.run(node.streamInfo('CMD'))).messages, 10)
  })

  test('a killed node settles nothing and hears nothing; its queue members are gone at once', async () => {
    const world = await MemoryWorld.open({ latencyMinMs: 5, latencyMaxMs: 5 })
    const [victim, other] = [world.broker.connect('victim'), world.broker.connect('other')]
    const heard: string[] = []
    let settled = false
    victim.subscribe('svc', (message) => heard.push(textOf(message)), { queue: 'q' })
    await world.run(victim.flush())
    void codeOf(world.append(victim, 'cmd.a', 'x')).then(() => (settled = true))
    victim.onStatus(() => heard.push('status'))
    other.publish('svc', bytesOf('under way'))
    await world.clock.advance(7)
    world.broker.kill('victim')
    const answer = await world.run(
      new Promise<InboundMessage>((resolve) => {
        const inbox = other.inbox(resolve)
        other.publish('svc', bytesOf('?'), { reply: inbox.subject })
      }),
    )
    assert.is(answer.unreachable, true)
    await world.clock.advance(60_000)
    assert.equal([heard, settled], [[], false])
  })

  test('a killed reader leaves its deliveries to the next of its durable, after the wait', async () => {
    const world = await MemoryWorld.open()
    const victim = world.broker.connect('node')
    await world.run(victim.consume(world.consumer('d'), () => undefined))
    await world.run(world.append(victim, 'cmd.a', 'x'))
    await world.clock.advance(10)
    world.broker.kill('node')
    const again = world.broker.connect('node')
    const seen: [string, number, number][] = []
    const from = world.clock.now()
    await world.run(
      again.consume(world.consumer('d'), (delivery) =>
        seen.push([textOf(delivery), delivery.deliveries, world.clock.now() - from]),
      ),
    )
    await world.clock.advance(5_000)
    assert.equal(seen.slice(0, 1), [['x', 2, 990]])
  })

  test('lost acknowledgements lead to deliveries again, and end', async () => {
    const world = await MemoryWorld.open({ lostAckRate: 0.5 })
    const node = world.broker.connect('node')
    const counts = new Map<string, number>()
    await world.run(
      node.consume(world.consumer('d'), (delivery) => {
        counts.set(textOf(delivery), delivery.deliveries)
        delivery.ack()
      }),
    )
    for (let item = 0; item < 50; item++) await world.run(world.append(node, 'cmd.a', String(item)))
    await world.clock.advance(60_000)
    assert.is((await world.run(node.streamInfo('CMD'))).messages, 0)
    assert.ok(Math.max(...counts.values()) > 1)
  })

  test('redelivery out of order, when asked for, and of everything', async () => {
    const world = await MemoryWorld.open({ redeliveryOutOfOrder: true })
    const node = world.broker.connect('node')
    const first: string[] = []
    const second: string[] = []
    await world.run(
      node.consume(world.consumer('d'), (delivery) => {
        if (delivery.deliveries === 1) first.push(textOf(delivery))
        if (delivery.deliveries === 2) second.push(textOf(delivery))
        if (delivery.deliveries === 2) delivery.ack()
      }),
    )
    for (let item = 0; item < 20; item++) void world.append(node, 'cmd.a', String(item).padStart(2, '0'))
    await world.clock.advance(5_000)
    assert.equal(first, first.toSorted())
    assert.not.equal(second, first)
    assert.equal(second.toSorted(), first)
  })

  test('a stale read shows an older state of the bucket, never one that was not', async () => {
    const world = await MemoryWorld.open({ staleReadMs: 5_000 })
    const node = world.broker.connect('node')
    const bucket = await world.run(node.bucket('nodes', { ttlMs: 60_000 }))
    const shown = new Set<string>()
    for (let item = 0; item < 60; item++) {
      await world.run(bucket.put('k', bytesOf(String(item))))
      await world.clock.advance(500)
      const entry = (await world.run(bucket.entries())).get('k')
      const value = entry ? Number(textOf({ data: entry.value })) : -1
      // At most five seconds, ten puts, behind.
      assert.ok(value <= item && value >= item - 11, `${value} at ${item}`)
      shown.add(String(item - value))
    }
    assert.ok(shown.size > 3)
    world.broker.faults.staleReadMs = 0
    assert.is(textOf({ data: (await world.run(bucket.entries())).get('k')!.value }), '59')
  })

  test('a lost tail: sequences are used again, ids forgotten, and the stream says when it is another', async () => {
    const world = await MemoryWorld.open()
    const node = world.broker.connect('node')
    for (let item = 1; item <= 10; item++) await world.run(world.append(node, 'ev.s.pub', String(item), `e${item}`))
    const before = await world.run(node.streamInfo('EVT'))
    world.broker.loseTail('EVT', 4)
    const after = await world.run(node.streamInfo('EVT'))
    assert.equal([after.lastSequence, after.messages, after.created], [6, 6, before.created])
    assert.is(textOf((await world.run(node.last('EVT', 'ev.s.pub')))!), '6')
    // Kept ids are still known, lost ones are stored anew.
    assert.equal(await world.run(world.append(node, 'ev.s.pub', '6', 'e6')), { sequence: 6, duplicate: true })
    assert.equal(await world.run(world.append(node, 'ev.s.pub', '9', 'e9')), { sequence: 7, duplicate: false })
    world.broker.loseTail('EVT', 0, { reborn: true })
    assert.ok((await world.run(node.streamInfo('EVT'))).created > before.created)
  })

  test('a consumer whose tail was lost delivers what is stored in its place', async () => {
    const world = await MemoryWorld.open()
    const node = world.broker.connect('node')
    const seen: string[] = []
    await world.run(
      node.consume(world.consumer('d'), (delivery) => {
        seen.push(textOf(delivery))
      }),
    )
    for (const item of ['1', '2', '3']) await world.run(world.append(node, 'cmd.a', item))
    await world.clock.advance(10)
    world.broker.loseTail('CMD', 2)
    await world.run(world.append(node, 'cmd.a', 'new'))
    await world.clock.advance(10)
    assert.equal(seen, ['1', '2', '3', 'new'])
    await world.clock.advance(1_200)
    assert.equal(seen.slice(4), ['1', 'new'])
  })

  test('a restart of the broker keeps what is stored and who reads it', async () => {
    const world = await MemoryWorld.open()
    const node = world.broker.connect('node')
    const seen: string[] = []
    await world.run(
      node.consume(world.consumer('d'), (delivery) => {
        seen.push(textOf(delivery))
        delivery.ack()
      }),
    )
    world.broker.restart()
    await world.clock.advance(10)
    await world.run(world.append(node, 'cmd.a', 'after'))
    await world.clock.advance(10)
    assert.equal(seen, ['after'])
  })

  test('closed transports leave no timer', async () => {
    const world = await MemoryWorld.open({ latencyMinMs: 5, latencyMaxMs: 20 })
    const node = world.broker.connect('node')
    await world.run(node.consume(world.consumer('d'), () => undefined))
    await world.run(world.append(node, 'cmd.a', 'x'))
    await world.run(node.close())
    assert.is(world.clock.armed, 0)
    const dying = world.broker.connect('dying')
    void codeOf(dying.streamInfo('CMD'))
    world.broker.close()
    assert.is(world.clock.armed, 0)
  })
})
