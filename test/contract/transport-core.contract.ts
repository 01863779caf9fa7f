import type { InboundMessage, Transport } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, text, unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function coreContract(label: string, start: StartWorld): void {
  suite(`${label}: core messaging`, ({ test, before, after }) => {
    let world: TransportWorld
    let alice: Transport
    let bob: Transport
    before(async () => {
      world = await start()
      alice = await world.connect('alice')
      bob = await world.connect('bob')
    })
    after(() => world.close())

    test('keeps the order of one publisher on one subject', async () => {
      const subject = unique('order')
      const seen = new Seen<string>()
      const subscription = bob.subscribe(subject, ({ data }) => seen.add(text(data)))
      await bob.flush()
      const sent = Array.from({ length: 1000 }, (_, index) => String(index))
      for (const item of sent) alice.publish(subject, bytes(item))
      assert.equal(await seen.count(1000), sent)
      subscription.unsubscribe()
    })

    test('gives each message to one member of a queue, to all plain subscribers, and uses every member', async () => {
      const subject = unique('queue')
      const [first, second, plain] = [new Seen<string>(), new Seen<string>(), new Seen<string>()]
      const subscriptions = [
        alice.subscribe(subject, ({ data }) => first.add(text(data)), { queue: 'q' }),
        bob.subscribe(subject, ({ data }) => second.add(text(data)), { queue: 'q' }),
        bob.subscribe(subject, ({ data }) => plain.add(text(data))),
      ]
      await Promise.all([alice.flush(), bob.flush()])
      const sent = Array.from({ length: 200 }, (_, index) => String(index))
      for (const item of sent) alice.publish(subject, bytes(item))
      await alice.flush()
      assert.equal(await plain.count(200), sent)
      await Promise.all([alice.flush(), bob.flush()])
      assert.equal(
        [...first.all, ...second.all].sort((a, b) => Number(a) - Number(b)),
        sent,
      )
      assert.ok(first.all.length > 20 && second.all.length > 20, `${first.all.length}:${second.all.length}`)
      for (const subscription of subscriptions) subscription.unsubscribe()
    })

    test('matches wildcards by token: `*` one, `>` one or more', async () => {
      const root = unique('wild')
      const seen = new Seen<string>()
      const one = bob.subscribe(`${root}.*.x`, ({ subject }) => seen.add(`* ${subject}`))
      const rest = bob.subscribe(`${root}.>`, ({ subject }) => seen.add(`> ${subject}`))
      await bob.flush()
      for (const tail of ['a.x', 'a.b.x', 'a', 'x']) alice.publish(`${root}.${tail}`, bytes(''))
      alice.publish(root, bytes(''))
      alice.publish(`${root}.end.x`, bytes(''))
      await seen.until(() => seen.all.filter((line) => line.endsWith('end.x')).length === 2)
      const lines = seen.all.map((line) => line.replace(`${root}.`, '')).sort()
      assert.equal(lines, ['* a.x', '* end.x', '> a', '> a.b.x', '> a.x', '> end.x', '> x'])
      one.unsubscribe()
      rest.unsubscribe()
    })

    test('answers go to the private address named in the request, each to its own', async () => {
      const subject = unique('echo')
      const service = bob.subscribe(subject, ({ data, reply }) => bob.publish(reply, data))
      await bob.flush()
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => ask(alice, subject, String(index)).then(({ data }) => text(data))),
      )
      assert.equal(
        answers,
        Array.from({ length: 100 }, (_, index) => String(index)),
      )
      service.unsubscribe()
    })

    test('says at once that nobody listens, and only then', async () => {
      const subject = unique('nobody')
      const nobody = await ask(alice, subject, '?')
      assert.is(nobody.unreachable, true)
      assert.is(nobody.data.byteLength, 0)

      const service = bob.subscribe(subject, ({ reply }) => bob.publish(reply, bytes('')))
      await bob.flush()
      const empty = await ask(alice, subject, '?')
      assert.is(empty.unreachable, undefined)
      service.unsubscribe()
      await bob.flush()
      assert.is((await ask(alice, subject, '?')).unreachable, true)
    })

    test('a queue group with its last member gone is unreachable again', async () => {
      const subject = unique('emptied')
      const helper = await world.connect(unique('helper'))
      helper.subscribe(subject, ({ reply }) => helper.publish(reply, bytes('yes')), { queue: 'q' })
      await helper.flush()
      assert.is(text((await ask(alice, subject, '?')).data), 'yes')
      await helper.close()
      assert.is((await ask(alice, subject, '?')).unreachable, true)
    })

    test('the customary shared reply space shows no reply to others', async () => {
      const subject = unique('private')
      const overheard: string[] = []
      const spy = await world.connect(unique('spy'))
      for (const space of ['_INBOX.>', '_INBOX.*', '_INBOX.*.*']) {
        spy.subscribe(space, (message) => overheard.push(message.subject))
      }
      await spy.flush()
      const service = bob.subscribe(subject, ({ reply }) => bob.publish(reply, bytes('secret')))
      await bob.flush()
      for (let index = 0; index < 20; index++) await ask(alice, subject, '?')
      await spy.flush()
      assert.equal(overheard, [])
      service.unsubscribe()
      await spy.close()
    })

    test('a closed reply address hears nothing more', async () => {
      const subject = unique('late')
      const seen: string[] = []
      let answerTo = ''
      const service = bob.subscribe(subject, ({ reply }) => {
        answerTo = reply
        bob.publish(reply, bytes('first'))
      })
      await bob.flush()
      const first = new Seen<string>()
      const inbox = alice.inbox(({ data }) => {
        seen.push(text(data))
        first.add(text(data))
      })
      alice.publish(subject, bytes('?'), { reply: inbox.subject })
      await first.count(1)
      inbox.close()
      bob.publish(answerTo, bytes('second'))
      await bob.flush()
      await alice.flush()
      assert.equal(seen, ['first'])
      service.unsubscribe()
    })

    test('stops at unsubscribe, also for what is already under way', async () => {
      const subject = unique('stop')
      const seen: string[] = []
      const all = new Seen<string>()
      const other = bob.subscribe(subject, ({ data }) => all.add(text(data)))
      const subscription = bob.subscribe(subject, ({ data }) => {
        seen.push(text(data))
        subscription.unsubscribe()
      })
      await bob.flush()
      for (const item of ['1', '2', '3']) alice.publish(subject, bytes(item))
      await all.count(3)
      assert.equal(seen, ['1'])
      other.unsubscribe()
    })

    test('a handler that throws is reported and goes on receiving', async () => {
      const subject = unique('throws')
      const seen = new Seen<string>()
      const subscription = bob.subscribe(subject, ({ data }) => {
        seen.add(text(data))
        if (text(data) === 'bad') throw new Error(`planted in ${subject}`)
      })
      await bob.flush()
      for (const item of ['bad', 'good']) alice.publish(subject, bytes(item))
      assert.equal(await seen.count(2), ['bad', 'good'])
      await bob.flush()
      assert.ok(world.handlerErrors.some(({ message }) => message === `planted in ${subject}`))
      subscription.unsubscribe()
    })

    test('refuses a payload above the limit before it is sent, and lives on', async () => {
      const subject = unique('big')
      const seen = new Seen<number>()
      const subscription = bob.subscribe(subject, ({ data }) => seen.add(data.byteLength))
      await bob.flush()
      assert.is(await codeOf(() => alice.publish(subject, new Uint8Array(1024 * 1024 + 1))), 'TOO_LARGE')
      alice.publish(subject, new Uint8Array(768 * 1024))
      assert.equal(await seen.count(1), [768 * 1024])
      subscription.unsubscribe()
    })

    test('close lets out what was published and refuses what comes after', async () => {
      const subject = unique('close')
      const seen = new Seen<string>()
      const subscription = bob.subscribe(subject, ({ data }) => seen.add(text(data)))
      await bob.flush()
      const leaver = await world.connect(unique('leaver'))
      for (let index = 0; index < 100; index++) leaver.publish(subject, bytes(String(index)))
      await Promise.all([leaver.close(), leaver.close()])
      await seen.count(100)
      assert.is(await codeOf(() => leaver.publish(subject, bytes('late'))), 'BROKER_DOWN')
      assert.is(await codeOf(leaver.append(subject, bytes('late'), { messageId: 'late' })), 'BROKER_DOWN')
      assert.is(await codeOf(leaver.flush()), 'BROKER_DOWN')
      await leaver.close()
      subscription.unsubscribe()
    })

    test('two tenants never hear each other', async () => {
      const [acme, globex] = [unique('acme'), unique('globex')]
      const [toAcme, toGlobex] = [new Seen<string>(), new Seen<string>()]
      const subscriptions = [
        bob.subscribe(`t.${acme}.>`, ({ data }) => toAcme.add(text(data))),
        bob.subscribe(`t.${globex}.>`, ({ data }) => toGlobex.add(text(data))),
      ]
      await bob.flush()
      alice.publish(`t.${acme}.sig.desk.1`, bytes('for acme'))
      alice.publish(`t.${globex}.sig.desk.1`, bytes('for globex'))
      await Promise.all([toAcme.count(1), toGlobex.count(1)])
      await bob.flush()
      assert.equal([toAcme.all, toGlobex.all], [['for acme'], ['for globex']])
      for (const subscription of subscriptions) subscription.unsubscribe()
    })
  })
}

function ask(from: Transport, subject: string, question: string): Promise<InboundMessage> {
  return new Promise((resolve) => {
    const inbox = from.inbox((message) => {
      inbox.close()
      resolve(message)
    })
    from.publish(subject, bytes(question), { reply: inbox.subject })
  })
}
