import { connectNats } from '#shared/nats/connect-nats.ts'
import type { NatsOptions } from '#shared/nats/connect-nats.ts'
import type { NatsTransport } from '#shared/nats/nats-transport.ts'
import type { InboundMessage, Transport } from '#shared/transport/port.ts'
import { natsBinaries, startNats } from '#test/kit/nats-server.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, eventually, text, unique } from './transport-world.ts'

/** What only a real broker can show: restarts, crashes, permissions. */
for (const [index, { version }] of (await natsBinaries()).entries()) {
  const choice = index === 0 ? 'oldest' : 'newest'

  suite(`NATS ${version}: the server goes away`, ({ test }) => {
    for (const how of ['restarted in good order', 'killed and started again'] as const) {
      test(`${how} in the middle of consuming: nothing is lost, all is heard again`, async () => {
        const server = await startNats({ version: choice })
        const errors: Error[] = []
        const onError = (error: Error): void => void errors.push(error)
        const node = await connectNats({ url: server.url, name: 'node', onError })
        const other = await connectNats({ url: server.url, name: 'other', onError })
        const status = new Seen<string>()
        node.onStatus(status.add)
        await node.ensureStream({ name: 'CMD', subjects: ['cmd.>'], retention: 'work', duplicateWindowMs: 60_000 })
        const bucket = await node.bucket('nodes', { ttlMs: 60_000 })
        await bucket.put('a', bytes('1'))

        const first: string[] = []
        const seen = new Seen<string>()
        const done = new Set<string>()
        const attach = (): ReturnType<typeof node.consume> =>
          node.consume(
            { stream: 'CMD', durable: 'agent-0-e1', filter: 'cmd.>', ackWaitMs: 1000, maxUnacknowledged: 20 },
            (delivery) => {
              const item = text(delivery.data)
              if (!done.has(item)) first.push(item)
              // One in three is not acknowledged at its first delivery, as by a handler that was interrupted.
              if (Number(item) % 3 !== 0 || done.has(item)) delivery.ack()
              done.add(item)
              seen.add(item)
            },
          )
        const consumption = await attach()
        let lost = false
        void consumption.lost.then(() => (lost = true))
        for (let item = 0; item < 60; item++) {
          await other.append('cmd.a', bytes(String(item)), { messageId: `a${item}` })
        }
        await seen.count(20)
        if (how === 'restarted in good order') await server.restart()
        else {
          await server.kill()
          await status.count(1)
          assert.is(await codeOf(node.append('cmd.a', bytes('x'), { messageId: 'x' })), 'BROKER_DOWN')
          await server.restart()
        }
        await status.until(() => status.all.at(-1) === 'connected')
        if (how === 'killed and started again') {
          // As a holder does after a broken connection: a consumer that 2.9.10 restored after a crash may count deliveries as
          // under way that it never makes again.
          await consumption.stop()
          await node.deleteConsumer('CMD', 'agent-0-e1')
          await attach()
        }
        const send = async (item: number): Promise<boolean> =>
          other.append('cmd.a', bytes(String(item)), { messageId: `a${item}` }).then(
            () => true,
            () => false,
          )
        // Also what was confirmed before: a killed broker may not have written the last of it. What it knows it stores once.
        for (let item = 0; item < 80; item++) await eventually(() => send(item))
        await seen.until(() => done.size === 80)
        await eventually(async () => (await node.streamInfo('CMD')).messages === 0)
        assert.equal(
          first,
          Array.from({ length: 80 }, (_, item) => String(item)),
        )
        assert.is(lost, false)
        assert.equal([...(await bucket.entries()).keys()], ['a'])
        assert.equal(errors, [])
        await Promise.all([node.close(), other.close()])
        await server.stop()
      })
    }

    test('an append repeated after a crash with the same id is stored once', async () => {
      const server = await startNats({ version: choice })
      const node = await connectNats({ url: server.url, name: 'node', onError: fail })
      const status = new Seen<string>()
      node.onStatus(status.add)
      await node.ensureStream({ name: 'CMD', subjects: ['cmd.>'], retention: 'work', duplicateWindowMs: 60_000 })
      const attempts = Array.from({ length: 50 }, (_, item) => ({ item, messageId: `m${item}` }))
      const send = ({ item, messageId }: { item: number; messageId: string }): Promise<unknown> =>
        node.append('cmd.a', bytes(String(item)), { messageId })
      const outcomes = Promise.allSettled(attempts.map(send))
      await server.kill()
      await outcomes
      await server.restart()
      await status.until(() => status.all.at(-1) === 'connected')
      for (const attempt of attempts) await eventually(() => send(attempt).then(...truth))
      assert.is((await node.streamInfo('CMD')).messages, 50)
      await node.close()
      await server.stop()
    })

    test('a broker that is not there is said at once', async () => {
      const server = await startNats({ version: choice })
      const { url } = server
      await server.stop()
      assert.is(await codeOf(connectNats({ url, name: 'node', onError: fail })), 'BROKER_DOWN')
    })

    test('an address that is none is a fault of the configuration', async () => {
      assert.is(await codeOf(connectNats({ url: 'nats://[', name: 'node', onError: fail })), 'CONFIG')
    })

    test('close while the server is away ends', async () => {
      const server = await startNats({ version: choice })
      const node = await connectNats({ url: server.url, name: 'node', onError: fail })
      const status = new Seen<string>()
      node.onStatus(status.add)
      await server.kill()
      await status.count(1)
      await node.close()
      await server.stop()
    })
  })

  suite(`NATS ${version}: permissions`, ({ test }) => {
    const config = `authorization {
      users = [
        { user: runtime, password: r }
        { user: bridge, password: "b@:/", permissions: {
            publish: ["t.acme.in.slack.>"], subscribe: ["t.acme.out.slack.>", "_bridge.>"] } }
      ]
    }`

    test('a bridge limited to its own subjects can read no reply of the swarm and no other tenant', async () => {
      const server = await startNats({ version: choice, config })
      const refused = new Seen<string>()
      const runtime = await connectNats(withLogin(server.url, 'runtime:r', fail))
      const service = await connectNats(withLogin(server.url, 'runtime:r', fail))
      const bridge = await connectNats({
        ...withLogin(server.url, 'bridge:b%40%3A%2F', (error) => refused.add(error.message)),
        privateRoot: '_bridge',
      })
      const overheard: string[] = []
      for (const subject of ['>', '_wgl.>', 't.globex.out.slack.>', '$JS.API.>']) {
        bridge.subscribe(subject, (message) => overheard.push(message.subject))
      }
      const own = new Seen<string>()
      bridge.subscribe('t.acme.out.slack.>', ({ data }) => own.add(text(data)))
      await bridge.flush()
      await refused.count(4)
      bridge.publish('t.globex.in.slack.1', bytes('not mine'))
      await refused.until(() => refused.all.some((message) => message.includes('refused to publish')))

      const subject = unique('svc')
      service.subscribe(subject, ({ reply }) => service.publish(reply, bytes('secret')))
      await service.flush()
      assert.is(text((await ask(runtime, subject)).data), 'secret')
      runtime.publish('t.globex.out.slack.1', bytes('not yours'))
      runtime.publish('t.acme.out.slack.1', bytes('yours'))
      await own.count(1)
      await bridge.flush()
      assert.equal([own.all, overheard], [['yours'], []])
      await Promise.all([runtime.close(), service.close(), bridge.close()])
      await server.stop()
    })

    test('wrong credentials are refused at once', async () => {
      const server = await startNats({ version: choice, config })
      assert.is(await codeOf(connectNats(withLogin(server.url, 'runtime:wrong', fail))), 'BROKER_DOWN')
      await server.stop()
    })
  })
}

const truth = [() => true, () => false] as const

function withLogin(url: string, login: string, onError: (error: Error) => void): NatsOptions {
  return { url: url.replace('nats://', `nats://${login}@`), name: login, onError }
}

function ask(from: Transport | NatsTransport, subject: string): Promise<InboundMessage> {
  return new Promise((resolve) => {
    const inbox = from.inbox((message) => {
      inbox.close()
      resolve(message)
    })
    from.publish(subject, bytes('?'), { reply: inbox.subject })
  })
}

function fail(error: Error): void {
  queueMicrotask(() => {
    throw error
  })
}
