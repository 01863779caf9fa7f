import type { Consumption, Delivery } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, eventually, text, unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function partitionContract(label: string, start: StartWorld): void {
  suite(`${label}: a connection that breaks`, ({ test, before, after }) => {
    let world: TransportWorld
    before(async () => {
      world = await start()
    })
    after(() => world.close())

    const queue = async (stream: string, root: string): Promise<void> => {
      const maker = await world.connect(unique('maker'))
      await maker.ensureStream({
        name: stream,
        subjects: [`${root}.>`],
        retention: 'work',
        duplicateWindowMs: 60_000,
      })
      await maker.close()
    }

    test('is told, fails what waits for an answer, and comes back by itself', async () => {
      const name = unique('cut')
      const node = await world.connect(name)
      const seen = new Seen<string>()
      node.onStatus(seen.add)
      await world.partition(name)
      await seen.count(1)
      assert.is(await codeOf(node.append(unique('x'), bytes('x'), { messageId: 'x' })), 'BROKER_DOWN')
      assert.is(await codeOf(node.flush()), 'BROKER_DOWN')
      assert.is(await codeOf(node.streamInfo('X')), 'BROKER_DOWN')
      await world.heal(name)
      await seen.count(2)
      await node.flush()
      assert.equal(seen.all, ['disconnected', 'connected'])
      await node.close()
    })

    test('what is published meanwhile waits, in order; subscriptions and reply addresses stand again', async () => {
      const name = unique('cut')
      const node = await world.connect(name)
      const other = await world.connect(unique('other'))
      const subject = unique('echo')
      const heard = new Seen<string>()
      other.subscribe(subject, ({ data, reply }) => {
        heard.add(text(data))
        other.publish(reply, data)
      })
      await other.flush()
      const back = unique('back')
      const toNode = new Seen<string>()
      node.subscribe(back, ({ data }) => toNode.add(text(data)))
      await node.flush()
      const status = new Seen<string>()
      node.onStatus(status.add)

      await world.partition(name)
      await status.count(1)
      const answers = new Seen<string>()
      const inbox = node.inbox(({ data }) => answers.add(text(data)))
      for (const item of ['1', '2', '3']) node.publish(subject, bytes(item), { reply: inbox.subject })
      await world.heal(name)
      await status.count(2)
      node.publish(subject, bytes('4'), { reply: inbox.subject })
      await answers.count(4)
      assert.equal(
        [heard.all, answers.all],
        [
          ['1', '2', '3', '4'],
          ['1', '2', '3', '4'],
        ],
      )
      await node.flush()
      other.publish(back, bytes('after'))
      await toNode.count(1)
      await Promise.all([node.close(), other.close()])
    })

    test('what waits is bounded', async () => {
      const name = unique('cut')
      const node = await world.connect(name)
      const status = new Seen<string>()
      node.onStatus(status.add)
      await world.partition(name)
      await status.count(1)
      const flood = (): void => {
        for (let index = 0; index < 20_000; index++) node.publish('flood', new Uint8Array(1024))
      }
      assert.is(await codeOf(flood), 'BROKER_DOWN')
      await world.heal(name)
      await status.count(2)
      await node.close()
    })

    test('a consumption goes on where it was; nothing is lost', async () => {
      const name = unique('cut')
      const [stream, root] = [unique('WORK'), unique('work')]
      await queue(stream, root)
      const node = await world.connect(name)
      const other = await world.connect(unique('other'))
      const done = new Set<string>()
      const seen = new Seen<string>()
      const consumption = await node.consume(
        { stream, durable: 'd', filter: `${root}.>`, ackWaitMs: 500, maxUnacknowledged: 10 },
        (delivery) => {
          done.add(text(delivery.data))
          seen.add(text(delivery.data))
          delivery.ack()
        },
      )
      const send = (item: number): Promise<unknown> =>
        other.append(`${root}.a`, bytes(String(item)), { messageId: unique('id') })
      for (let item = 0; item < 100; item++) await send(item)
      await world.partition(name)
      for (let item = 100; item < 200; item++) await send(item)
      await world.heal(name)
      await seen.until(() => done.size === 200)
      await eventually(async () => (await other.streamInfo(stream)).messages === 0)
      await consumption.stop()
      await Promise.all([node.close(), other.close()])
    })

    // Soon: long before the missing heartbeats would tell.
    test(
      'a consumer deleted meanwhile is lost when the connection is back; its acknowledgements do nothing',
      async () => {
        const name = unique('cut')
        const [stream, root] = [unique('WORK'), unique('work')]
        await queue(stream, root)
        const node = await world.connect(name)
        const other = await world.connect(unique('other'))
        const stale = new Seen<Delivery>()
        const consumption: Consumption = await node.consume(
          { stream, durable: 'd-e1', filter: `${root}.>`, ackWaitMs: 30_000, maxUnacknowledged: 10 },
          stale.add,
        )
        await other.append(`${root}.a`, bytes('x'), { messageId: 'x' })
        await stale.count(1)
        const status = new Seen<string>()
        node.onStatus(status.add)
        await world.partition(name)
        await status.count(1)
        await other.deleteConsumer(stream, 'd-e1')
        const fresh = new Seen<Delivery>()
        const taken = await other.consume(
          { stream, durable: 'd-e2', filter: `${root}.>`, ackWaitMs: 30_000, maxUnacknowledged: 10 },
          fresh.add,
        )
        await fresh.count(1)
        await world.heal(name)
        assert.is((await consumption.lost).code, 'STALE_EPOCH')
        stale.all[0]!.ack()
        await node.flush()
        assert.is((await other.streamInfo(stream)).messages, 1)
        assert.equal(await other.consumers(stream), ['d-e2'])
        await taken.stop()
        await Promise.all([node.close(), other.close()])
      },
      { deadlineMs: 5_000 },
    )

    test('a watcher learns what changed meanwhile', async () => {
      const name = unique('cut')
      const node = await world.connect(name)
      const other = await world.connect(unique('other'))
      const bucketName = unique('nodes')
      const mine = await node.bucket(bucketName, { ttlMs: 60_000 })
      const theirs = await other.bucket(bucketName, { ttlMs: 60_000 })
      await theirs.put('leaves', bytes('1'))
      await theirs.put('stays', bytes('1'))
      const seen = new Seen<string>()
      const stop = await mine.watch((key, entry) => seen.add(`${key}=${entry ? text(entry.value) : 'null'}`))
      const status = new Seen<string>()
      node.onStatus(status.add)
      await world.partition(name)
      await status.count(1)
      await theirs.delete('leaves')
      await theirs.put('comes', bytes('2'))
      await world.heal(name)
      await seen.count(2)
      await node.flush()
      await theirs.put('stays', bytes('3'))
      await seen.count(3)
      assert.equal([...seen.all].sort(), ['comes=2', 'leaves=null', 'stays=3'])
      stop()
      await Promise.all([node.close(), other.close()])
    })

    test('one that is gone no longer counts as a listener', async () => {
      const name = unique('cut')
      const node = await world.connect(name)
      const other = await world.connect(unique('other'))
      const subject = unique('service')
      const status = new Seen<string>()
      node.onStatus(status.add)
      node.subscribe(subject, ({ reply }) => node.publish(reply, bytes('here')), { queue: 'q' })
      await node.flush()
      await world.partition(name)
      await status.count(1)
      // A broker learns of a broken connection in its own time; what is asked before is lost and not answered.
      const answers = new Seen<boolean>()
      const inbox = other.inbox((message) => answers.add(message.unreachable === true))
      const asking = setInterval(() => other.publish(subject, bytes('?'), { reply: inbox.subject }), 20)
      await answers.count(1)
      clearInterval(asking)
      inbox.close()
      assert.is(answers.all[0], true)
      await world.heal(name)
      await status.count(2)
      await Promise.all([node.close(), other.close()])
    })
  })
}
