import type { ConsumerSpec, Delivery, StreamSpec, Transport } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, eventually, text, unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function workQueueContract(label: string, start: StartWorld): void {
  suite(`${label}: work queues`, ({ test, before, after }) => {
    let world: TransportWorld
    let alice: Transport
    let bob: Transport
    before(async () => {
      world = await start()
      alice = await world.connect('alice')
      bob = await world.connect('bob')
    })
    after(() => world.close())

    const queue = async (settings: Partial<StreamSpec> = {}): Promise<{ stream: string; root: string }> => {
      const stream = unique('WORK')
      const root = unique('work')
      await alice.ensureStream({
        name: stream,
        subjects: [`${root}.>`],
        retention: 'work',
        duplicateWindowMs: 60_000,
        ...settings,
      })
      return { stream, root }
    }
    const spec = (stream: string, filter: string, settings: Partial<ConsumerSpec> = {}): ConsumerSpec => ({
      stream,
      filter,
      durable: unique('d'),
      ackWaitMs: 30_000,
      maxUnacknowledged: 100,
      ...settings,
    })
    const append = async (subject: string, ...items: string[]): Promise<void> => {
      await Promise.all(items.map((item) => alice.append(subject, bytes(item), { messageId: unique('id') })))
    }
    const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
    const texts = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ data }) => text(data))

    test('what is delivered in vain is told once, stays, and can be taken out', async () => {
      const { stream, root } = await queue()
      const keeper = unique('KEEPER')
      await alice.ensureStream({
        name: keeper,
        subjects: [],
        exhaustedOf: [stream],
        retention: 'work',
        duplicateWindowMs: 60_000,
      })
      await alice.ensureStream({
        name: keeper,
        subjects: [],
        exhaustedOf: [stream],
        retention: 'work',
        duplicateWindowMs: 60_000,
      })
      let deliveries = 0
      const settings = { durable: unique('bridge'), ackWaitMs: 200, maxDeliveries: 3 }
      const consumption = await bob.consume(spec(stream, `${root}.>`, settings), (delivery) => {
        if (text(delivery.data) === 'good') delivery.ack()
        else deliveries = Math.max(deliveries, delivery.deliveries)
      })
      await append(`${root}.a`, 'bad', 'good')
      await eventually(async () => (await alice.streamInfo(keeper)).messages === 1)
      assert.is(deliveries, 3)
      const words: Record<string, unknown>[] = []
      for await (const stored of alice.read(keeper, { filters: ['>'], from: 1 }))
        words.push(JSON.parse(text(stored.data)) as Record<string, unknown>)
      assert.equal(
        words.map((word) => [word['stream'], word['consumer'], word['deliveries']]),
        [[stream, settings.durable, 3]],
      )
      const sequence = words[0]!['stream_seq'] as number
      assert.is(text((await alice.at(stream, sequence))!.data), 'bad')
      assert.equal([await alice.remove(stream, sequence), await alice.remove(stream, sequence)], [true, false])
      assert.is((await alice.streamInfo(stream)).messages, 0)
      await consumption.stop()
    })

    test('delivers in order; what is acknowledged is gone', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(300))
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`), (delivery) => {
        seen.add(delivery)
        delivery.ack()
      })
      await seen.count(300)
      assert.equal(texts(seen.all), numbers(300))
      assert.equal([seen.all[0]!.sequence, seen.all[0]!.deliveries, seen.all[0]!.subject], [1, 1, `${root}.a`])
      await eventually(async () => (await alice.streamInfo(stream)).messages === 0)
      await append(`${root}.b`, 'new')
      await seen.count(301)
      assert.is(texts(seen.all).at(-1), 'new')
      await consumption.stop()
    })

    test('never hands out more than maxUnacknowledged; an acknowledgement makes room for the next', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(30))
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`, { maxUnacknowledged: 5 }), seen.add)
      await seen.count(5)
      for (let acknowledged = 0; acknowledged < 25; acknowledged++) {
        await bob.flush()
        assert.is(seen.all.length, acknowledged + 5)
        seen.all[acknowledged]!.ack()
        await seen.count(acknowledged + 6)
      }
      assert.equal(texts(seen.all), numbers(30))
      await consumption.stop()
    })

    test('refuses a second consumer whose filter is the same, contains the first, or lies in it', async () => {
      const { stream, root } = await queue()
      const first = await alice.consume(spec(stream, `${root}.a.*`), () => undefined)
      for (const filter of [`${root}.a.*`, `${root}.a.x`, `${root}.*.*`, `${root}.>`]) {
        assert.is(await codeOf(bob.consume(spec(stream, filter), () => undefined)), 'CONFLICT', filter)
      }
      const apart = await bob.consume(spec(stream, `${root}.b.*`), () => undefined)
      await Promise.all([first.stop(), apart.stop()])
      // Stopping to read does not give the filter back; only deleting the consumer does.
      assert.is(await codeOf(bob.consume(spec(stream, `${root}.a.*`), () => undefined)), 'CONFLICT')
    })

    test('refuses a second reader of one durable, and another filter under its name', async () => {
      const { stream, root } = await queue()
      const mine = spec(stream, `${root}.a`)
      const first = await alice.consume(mine, () => undefined)
      assert.is(await codeOf(bob.consume(mine, () => undefined)), 'CONFLICT')
      assert.is(await codeOf(bob.consume({ ...mine, filter: `${root}.b` }, () => undefined)), 'CONFLICT')
      await first.stop()
      assert.is(await codeOf(bob.consume({ ...mine, filter: `${root}.b` }, () => undefined)), 'CONFLICT')
      await eventually(() =>
        bob
          .consume(mine, () => undefined)
          .then(
            async (second) => {
              await second.stop()
              return true
            },
            () => false,
          ),
      )
    })

    test('after the durable is deleted the next holder gets all unacknowledged at once, in order', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(20))
      const stale = new Seen<Delivery>()
      const old = await alice.consume(spec(stream, `${root}.>`), stale.add)
      await stale.count(20)
      for (const index of [0, 3, 7]) stale.all[index]!.ack()
      await eventually(async () => (await bob.streamInfo(stream)).messages === 17)

      const { durable } = spec(stream, '')
      assert.is(await bob.deleteConsumer(stream, (await bob.consumers(stream))[0]!), true)
      const fresh = new Seen<Delivery>()
      const taken = await bob.consume({ ...spec(stream, `${root}.>`), durable }, fresh.add)
      await fresh.count(17)
      assert.equal(
        texts(fresh.all),
        numbers(20).filter((item) => !['0', '3', '7'].includes(item)),
      )
      assert.ok(fresh.all.every(({ deliveries }) => deliveries === 1))
      assert.is((await old.lost).code, 'STALE_EPOCH')

      // The old holder wakes up and acknowledges what it still has: none of it counts.
      for (const delivery of stale.all) {
        delivery.working()
        delivery.ack()
      }
      await alice.flush()
      assert.is((await bob.streamInfo(stream)).messages, 17)
      for (const delivery of fresh.all) delivery.ack()
      await eventually(async () => (await bob.streamInfo(stream)).messages === 0)
      await taken.stop()
    })

    test('can be read without taking anything from it', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(5))
      await append(`${root}.b`, 'other')
      const mine = spec(stream, `${root}.>`)
      const seen = new Seen<Delivery>()
      const consumption = await alice.consume(mine, seen.add)
      await seen.count(6)
      const found: string[] = []
      for await (const { data } of bob.read(stream, { filters: [`${root}.a`], from: 2 })) found.push(text(data))
      assert.equal(found, ['1', '2', '3', '4'])
      assert.is((await bob.streamInfo(stream)).messages, 6)
      assert.equal(await bob.consumers(stream), [mine.durable])
      await consumption.stop()
    })

    test('the deleted holder hears nothing more', async () => {
      const { stream, root } = await queue()
      const stale = new Seen<Delivery>()
      const old = await alice.consume(spec(stream, `${root}.>`), stale.add)
      const durable = (await bob.consumers(stream))[0]!
      await bob.deleteConsumer(stream, durable)
      await old.lost
      const fresh = new Seen<Delivery>()
      const taken = await bob.consume(spec(stream, `${root}.>`), fresh.add)
      await append(`${root}.a`, ...numbers(10))
      await fresh.count(10)
      await alice.flush()
      assert.equal(texts(stale.all), [])
      assert.is(await bob.deleteConsumer(stream, durable), false)
      await old.stop()
      await taken.stop()
    })

    test('delivers again after the wait, counting; `working` holds that off', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, 'slow', 'alive')
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`, { ackWaitMs: 800 }), seen.add)
      await seen.count(2)
      const alive = seen.all.find(({ data }) => text(data) === 'alive')!
      const beat = setInterval(() => alive.working(), 50)
      const slow = (): Delivery[] => seen.all.filter(({ data }) => text(data) === 'slow')
      await seen.until(() => slow().length === 3)
      clearInterval(beat)
      assert.equal(
        slow().map(({ deliveries, sequence }) => [deliveries, sequence]),
        [
          [1, 1],
          [2, 1],
          [3, 1],
        ],
      )
      assert.is(seen.all.length, 4)
      await seen.until(() => seen.all.filter(({ data }) => text(data) === 'alive').length === 2)
      await consumption.stop()
    })

    test('a late acknowledgement of the same consumer still counts', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, 'x')
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`, { ackWaitMs: 150 }), seen.add)
      await seen.count(2)
      seen.all[0]!.ack()
      await eventually(async () => (await alice.streamInfo(stream)).messages === 0)
      await consumption.stop()
    })

    test('many whose wait ran out come again in stream order', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(20))
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`, { ackWaitMs: 200 }), seen.add)
      await seen.count(40)
      assert.equal(texts(seen.all.slice(20, 40)), numbers(20))
      await consumption.stop()
    })

    test('stop ends delivery; what was delivered may be acknowledged, the rest waits for the next reader', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, '0', '1', '2')
      const mine = spec(stream, `${root}.>`, { ackWaitMs: 300, maxUnacknowledged: 2 })
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(mine, seen.add)
      await seen.count(2)
      await consumption.stop()
      await consumption.stop()
      seen.all[0]!.ack()
      await eventually(async () => (await alice.streamInfo(stream)).messages === 2)
      assert.is(seen.all.length, 2)

      const next = new Seen<Delivery>()
      const again = await alice.consume(mine, next.add)
      await next.until(() => new Set(texts(next.all)).size === 2)
      assert.equal([...new Set(texts(next.all))].sort(), ['1', '2'])
      await again.stop()
    })

    test('a full stream refuses the new and keeps the old; an acknowledgement makes room', async () => {
      const { stream, root } = await queue({ maxMessages: 3 })
      await append(`${root}.a`, '0', '1', '2')
      const refused = alice.append(`${root}.b`, bytes('3'), { messageId: 'three' })
      assert.is(await codeOf(refused), 'OVERLOADED')
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`), seen.add)
      await seen.count(3)
      assert.equal(texts(seen.all), ['0', '1', '2'])
      seen.all[0]!.ack()
      await eventually(async () => (await alice.streamInfo(stream)).messages === 2)
      // What was refused was not remembered: the very same append succeeds now.
      const { duplicate } = await alice.append(`${root}.b`, bytes('3'), { messageId: 'three' })
      assert.is(duplicate, false)
      await consumption.stop()
    })

    test('bytes are a limit too', async () => {
      const { root } = await queue({ maxBytes: 4096 })
      assert.is(await codeOf(append(`${root}.a`, ...Array.from({ length: 10 }, () => 'x'.repeat(1000)))), 'OVERLOADED')
    })

    test('each subject has its own limit: one full mailbox refuses, the others take', async () => {
      const { stream, root } = await queue({ maxPerSubject: 2 })
      await append(`${root}.a`, '0', '1')
      assert.is(await codeOf(append(`${root}.a`, '2')), 'MAILBOX_FULL')
      await append(`${root}.b`, '3')
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.a`), seen.add)
      await seen.count(2)
      // Delivered is not done: the mailbox is full until the acknowledgement.
      assert.is(await codeOf(append(`${root}.a`, '2')), 'MAILBOX_FULL')
      seen.all[0]!.ack()
      await eventually(async () => (await alice.streamInfo(stream)).messages === 2)
      await append(`${root}.a`, '4')
      await seen.count(3)
      assert.equal(texts(seen.all), ['0', '1', '4'])
      await consumption.stop()
    })

    test('consumers of disjoint filters each get their part; two tenants are apart', async () => {
      const { stream, root } = await queue()
      const [acme, globex] = [new Seen<Delivery>(), new Seen<Delivery>()]
      const take = (seen: Seen<Delivery>) => (delivery: Delivery) => {
        seen.add(delivery)
        delivery.ack()
      }
      const consumptions = await Promise.all([
        alice.consume(spec(stream, `${root}.acme.>`), take(acme)),
        bob.consume(spec(stream, `${root}.globex.>`), take(globex)),
      ])
      for (const item of numbers(10)) await append(`${root}.${Number(item) % 2 ? 'acme' : 'globex'}.1`, item)
      await Promise.all([acme.count(5), globex.count(5)])
      assert.equal(
        [texts(acme.all), texts(globex.all)],
        [
          ['1', '3', '5', '7', '9'],
          ['0', '2', '4', '6', '8'],
        ],
      )
      assert.is((await alice.consumers(stream)).length, 2)
      await Promise.all(consumptions.map((consumption) => consumption.stop()))
    })

    test('a handler that throws is reported and goes on receiving', async () => {
      const { stream, root } = await queue()
      const seen = new Seen<Delivery>()
      const consumption = await bob.consume(spec(stream, `${root}.>`), (delivery) => {
        seen.add(delivery)
        if (text(delivery.data) === 'bad') throw new Error(`planted in ${stream}`)
        delivery.ack()
      })
      await append(`${root}.a`, 'bad', 'good')
      await seen.count(2)
      await eventually(async () => (await alice.streamInfo(stream)).messages === 1)
      assert.ok(world.handlerErrors.some(({ message }) => message === `planted in ${stream}`))
      await consumption.stop()
    })

    test('closing a connection lets its reader go and keeps its position', async () => {
      const { stream, root } = await queue()
      await append(`${root}.a`, ...numbers(4))
      const leaver = await world.connect(unique('leaver'))
      const mine = spec(stream, `${root}.>`, { maxUnacknowledged: 2 })
      const seen = new Seen<Delivery>()
      await leaver.consume(mine, (delivery) => {
        if (seen.all.length < 2) delivery.ack()
        seen.add(delivery)
      })
      await seen.count(4)
      await leaver.close()
      await eventually(async () => (await alice.streamInfo(stream)).messages === 2)
      await bob.deleteConsumer(stream, mine.durable)
      const next = new Seen<Delivery>()
      const taken = await bob.consume(spec(stream, `${root}.>`), next.add)
      await next.count(2)
      assert.equal(texts(next.all), ['2', '3'])
      await taken.stop()
    })
  })
}
