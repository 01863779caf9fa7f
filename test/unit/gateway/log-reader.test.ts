import { LAG_ENTRIES, STALLED_MS, TAIL_CHECK_MS } from '#gateway/log/limits.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { View } from '#gateway/log/view.ts'
import type { Entry, PublicEntry } from '#gateway/log/entry.ts'
import type { Sink } from '#gateway/log/sink.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { LogClient } from './log-client.ts'
import { customer, join, operator, world } from './log-world.ts'

suite('reading the log by cursor', ({ test }) => {
  test('a first reader gets a snapshot, then what comes after it', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      await w.say()
      const client = new LogClient(w)
      await join(w, client, gateway)
      assert.is(client.snapshots.length, 1)
      assert.is(client.snapshots[0]!.cursor, `${w.incarnation}.1`)
      await w.say()
      await w.clock.advance(10)
      assert.equal(client.received, [1, 2])
    }))

  test('any gateway serves the cursor of another: nothing lost, nothing twice', () =>
    world(async (w) => {
      const one = await w.gateway('g1')
      const two = await w.gateway('g2')
      const client = new LogClient(w)
      await join(w, client, one)
      for (let i = 0; i < 5; i++) await w.say()
      await w.clock.advance(10)
      client.disconnect()
      for (let i = 0; i < 5; i++) await w.say()
      await join(w, client, two)
      await w.say()
      await w.clock.advance(10)
      assert.is(client.snapshots.length, 1)
      client.check()
      assert.is(client.received.length, 11)
    }))

  test('entries that come while the replay is under way are neither lost, doubled nor early', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      client.disconnect()
      for (let i = 0; i < 600; i++) await w.say()
      w.broker.faults.latencyMinMs = w.broker.faults.latencyMaxMs = 5
      const joining = client.connect(gateway)
      for (let i = 0; i < 40; i++) await w.say()
      await w.clock.settle(joining)
      for (let i = 0; i < 40; i++) await w.say()
      await w.clock.advance(100)
      assert.is(client.snapshots.length, 1)
      client.check()
    }))

  test('a cursor of another log, ahead of it, malformed, or older than it is kept, is answered with a snapshot', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      await w.say()
      for (const cursor of ['zzz9.1', `${w.incarnation}.99`, 'nonsense', '']) {
        const client = new LogClient(w)
        client.cursor = cursor
        await join(w, client, gateway)
        assert.is(client.snapshots.length, 1, cursor)
        client.disconnect()
      }
      const client = new LogClient(w)
      client.cursor = `${w.incarnation}.0`
      await w.say()
      await w.clock.advance(86_400_000)
      await w.say()
      await join(w, client, gateway)
      assert.is(client.snapshots.length, 1, 'entries after the cursor have gone out of the log')
    }))

  test('a snapshot in mid-turn goes on from the beginning of the turn, so that no text is missing', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      await w.say({ type: 'turn:started', payload: { turnId: 't0' } })
      await w.say({ type: 'message:completed', payload: { id: 'm0' } })
      const begin = await w.say({ type: 'turn:started', payload: { turnId: 't1' } })
      await w.say({ type: 'text:delta', payload: { messageId: 'm1', offset: 0, text: 'Your order ' } })
      await w.say({ type: 'text:delta', payload: { messageId: 'm1', offset: 11, text: 'is ' } })
      const client = new LogClient(w)
      client.snapshotBody = {
        ...client.snapshotBody,
        turns: [{ turnId: 't1', messageId: 'q1', agent: 'a', runId: 'r', answerId: 'm1' }],
      }
      await join(w, client, gateway)
      await w.clock.advance(10)
      assert.is(client.snapshots[0]!.cursor, `${w.incarnation}.${begin - 1}`)
      assert.equal(
        client.entries.map(({ wire }) => wire.type),
        ['turn:started', 'text:delta', 'text:delta'],
      )
    }))

  test('customers hear pub only, operators pub and ops, nobody sys', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const ann = new LogClient(w)
      const olga = new LogClient(w, 'c1', true)
      await join(w, ann, gateway)
      await join(w, olga, gateway)
      for (const audience of ['pub', 'ops', 'sys', 'ops', 'pub'] as const) await w.say({ audience })
      await w.clock.advance(10)
      assert.equal(ann.received, [1, 5])
      assert.equal(olga.received, [1, 2, 4, 5])
      assert.throws(() => View.operator(customer()), /role/)
      const sink: Sink<Entry> = { entries: () => {}, snapshot: () => {}, congested: () => false, failed: () => {} }
      const refused = gateway.watch({ principal: customer(), after: undefined, sink }).then(() => '', String)
      assert.match(await w.clock.settle(refused), /role/)
    }))

  test('the types refuse to join a sink of public entries to the view of an operator', () => {
    // Never called: it only has to be refused by the compiler.
    const never = (pub: Sink<PublicEntry>, reader: LogReader): void => {
      const common = { conversationId: 'c', after: undefined, takeSnapshot: () => Promise.reject(new Error('no')) }
      const view = View.operator(operator())
      // @ts-expect-error a customer's sink must not get operators' entries
      void reader.open({ ...common, view, sink: pub })
      // @ts-expect-error nor the entries of a whole tenant
      void reader.watch({ principal: operator(), after: undefined, sink: pub })
    }
    assert.type(never, 'function')
  })

  test('other tenants and other conversations stay out', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      const watcher = new LogClient(w)
      await join(w, client, gateway)
      await w.clock.settle(watcher.connect(gateway, customer('globex')))
      await w.say({ scope: 'c2' })
      await w.say({ tenant: 'globex', scope: 'c3' })
      await w.say()
      await w.clock.advance(10)
      assert.equal(client.received, [3])
      assert.equal(watcher.received, [])
    }))
})

suite('voiding before anything goes out', ({ test }) => {
  test('words of an activation that was taken over, live', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say({ epoch: 1 })
      await w.say({ epoch: 2, audience: 'sys', type: 'activation:opened' })
      await w.say({ epoch: 1 })
      await w.say({ epoch: 2 })
      await w.clock.advance(10)
      assert.equal(client.received, [1, 4])
    }))

  test('also for one that begins after the takeover, from the rows or from the log itself', async () => {
    for (const pendingRate of [0, 1]) {
      await world(async (w) => {
        w.pendingRate = pendingRate
        const gateway = await w.gateway('g1')
        await w.say({ epoch: 1 })
        await w.say({ epoch: 2, audience: 'sys', type: 'activation:opened' })
        const client = new LogClient(w)
        client.cursor = `${w.incarnation}.2`
        await w.say({ epoch: 1 })
        await join(w, client, gateway)
        await w.say({ epoch: 1 })
        await w.say({ epoch: 2 })
        await w.clock.advance(10)
        assert.equal(client.received, [5])
      })
    }
  })

  test('words of a former owner of the voice', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say({ control: 1, by: 'agent/c1--a' })
      await w.say({ type: 'control:changed', control: 2, by: 'supervisor/c1' })
      await w.say({ control: 1, by: 'agent/c1--a' })
      await w.say({ control: 0, by: 'agent/c1--a' })
      await w.say({ control: 2, by: 'human/c1--olga' })
      await w.clock.advance(10)
      assert.equal(client.received, [1, 2, 4, 5])
    }))

  test('a second reader of the same scope gets the same verdicts, wherever it begins', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const first = new LogClient(w)
      await join(w, first, gateway)
      await w.say({ epoch: 1 })
      await w.say({ epoch: 3, audience: 'ops' })
      await w.say({ epoch: 2 })
      await w.say({ epoch: 3 })
      await w.clock.advance(10)
      for (let from = 0; from <= 4; from++) {
        const late = new LogClient(w)
        late.cursor = `${w.incarnation}.${from}`
        await join(w, late, gateway)
        await w.clock.advance(10)
        assert.equal(
          late.received,
          first.received.filter((sequence) => sequence > from),
          `from ${from}`,
        )
        late.disconnect()
      }
    }))

  test('an entry that cannot be decoded is passed over, and what follows comes', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      const rogue = w.broker.connect('rogue')
      await w.clock.settle(rogue.append('t.acme.ev.c1.pub', new Uint8Array([1, 2, 3]), { messageId: 'x' }))
      await w.say()
      await w.clock.advance(10)
      assert.equal(client.received, [2])
      assert.is(await w.metrics.get('g1')!.value('waggle_log_unreadable_total'), 1)
    }))
})

suite('a live lane that loses', ({ test }) => {
  test('one in the middle is noticed by the next and read from the log, in order', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      w.drop = (_gateway, _subject, sequence) => sequence === 2
      for (let i = 0; i < 3; i++) await w.say()
      await w.clock.advance(10)
      assert.equal(client.received, [1, 2, 3])
      assert.is(client.snapshots.length, 1)
      assert.is(await w.metrics.get('g1')!.value('waggle_log_healed_total'), 1)
    }))

  test('the last one is noticed after a second of silence', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say()
      w.drop = () => true
      await w.say()
      await w.clock.advance(10)
      assert.equal(client.received, [1])
      await w.clock.advance(2 * TAIL_CHECK_MS + 500)
      assert.equal(client.received, [1, 2])
    }))

  test('a lone one of a quiet conversation is noticed in the end', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.clock.advance(5_000)
      w.drop = () => true
      await w.say()
      await w.clock.advance(90_000)
      client.check()
    }))

  test('a cut connection: what was said meanwhile comes when it is back', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say()
      w.broker.partition('g1')
      for (let i = 0; i < 20; i++) await w.say({ audience: i % 3 === 0 ? 'ops' : 'pub' })
      await w.clock.advance(3_000)
      assert.equal(client.received, [1])
      w.broker.heal('g1')
      await w.say()
      await w.clock.advance(100)
      client.check()
      assert.is(client.snapshots.length, 1)
    }))

  test('a cut connection: it is read again at once when it is back, with nobody saying more', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.clock.advance(5_000)
      w.broker.partition('g1')
      await w.say()
      await w.say({ epoch: 2, audience: 'sys', type: 'activation:opened' })
      w.broker.heal('g1')
      await w.clock.advance(50)
      assert.equal(client.received, [1])
      await w.say({ epoch: 1 }) // void: what was said while nobody could hear took the word from it
      await w.clock.advance(5_000)
      client.check()
      assert.is(client.snapshots.length, 1)
    }))

  test('a lost word of a takeover, told late: what had gone out under the old epoch is taken back by a snapshot', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say({ epoch: 1 })
      w.drop = (_gateway, subject) => subject.endsWith('.sys')
      await w.say({ epoch: 2, audience: 'sys', type: 'activation:opened' })
      await w.say({ epoch: 1 }) // void, but nobody can know yet
      await w.say({ epoch: 2 })
      await w.clock.advance(10)
      w.drop = () => false
      await w.clock.advance(2 * TAIL_CHECK_MS + 500)
      client.check()
      assert.equal(client.received, [1, 4])
      assert.is(client.snapshots.length, 2)
    }))

  test('an operator whose ops entry is found late begins anew before it; a customer beside is not disturbed', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const ann = new LogClient(w)
      const olga = new LogClient(w, 'c1', true)
      await join(w, ann, gateway)
      await join(w, olga, gateway)
      await w.say()
      w.drop = (_gateway, subject) => subject.endsWith('.ops')
      await w.say({ audience: 'ops' })
      await w.say()
      w.drop = () => false
      await w.clock.advance(2 * TAIL_CHECK_MS + 500)
      olga.check()
      ann.check()
      assert.is(ann.snapshots.length, 1)
      assert.is(olga.snapshots.length, 2)
    }))
})

suite('a log that begins anew', ({ test }) => {
  test('a lost tail: everybody gets a snapshot under the new name, and what is said afterwards', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      for (let i = 0; i < 5; i++) await w.say()
      await w.clock.advance(10)
      w.broker.restart()
      w.broker.loseTail('EVT', 3)
      w.written.splice(2)
      w.incarnation = 'bbb2'
      await w.clock.advance(5_000)
      await w.say()
      await w.clock.advance(100)
      assert.is(client.snapshots.length, 2)
      assert.is(client.snapshots[1]!.cursor, 'bbb2.2')
      client.check()
      assert.match(client.cursor!, /^bbb2\.3\b/)
    }))

  test('a cursor of before, at a gateway that has not heard yet', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      await w.say()
      w.incarnation = 'bbb2'
      const client = new LogClient(w)
      client.cursor = 'bbb2.1'
      await join(w, client, gateway)
      await w.say()
      await w.clock.advance(100)
      assert.equal(client.received, [2])
      assert.is(client.snapshots.length, 0)
    }))
})

suite('slow and failing readers', ({ test }) => {
  test('one whose connection is full waits, then gets the facts it missed and no spent deltas', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const slow = new LogClient(w)
      const quick = new LogClient(w)
      await join(w, slow, gateway)
      await join(w, quick, gateway)
      slow.full = true
      await w.say({ type: 'turn:started' })
      for (let i = 0; i < 50; i++)
        await w.say({ type: 'text:delta', payload: { messageId: 'm1', offset: i, text: 'x' } })
      await w.say({ type: 'message:completed', payload: { id: 'm1' } })
      await w.say({ type: 'text:delta', payload: { messageId: 'm2', offset: 0, text: 'y' } })
      await w.clock.advance(1_000)
      assert.is(slow.entries.length, 1, 'what it was written before anybody could know')
      assert.is(quick.entries.length, 53)
      slow.full = false
      await w.clock.advance(2_000)
      assert.equal(
        slow.entries.map(({ wire }) => wire.type),
        ['turn:started', 'message:completed', 'text:delta'],
      )
      await w.say()
      await w.clock.advance(10)
      assert.is(slow.received.at(-1), w.tail())
    }))

  test('one that fell too far behind gets a snapshot', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const slow = new LogClient(w)
      await join(w, slow, gateway)
      slow.full = true
      for (let i = 0; i < LAG_ENTRIES + 10; i++) await w.say()
      await w.clock.advance(100)
      slow.full = false
      await w.clock.advance(2_000)
      assert.is(slow.snapshots.length, 2)
      await w.say()
      await w.clock.advance(100)
      slow.check()
    }))

  test('one that never has room again is ended, and its cursor still serves', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const slow = new LogClient(w)
      await join(w, slow, gateway)
      slow.full = true
      await w.say()
      await w.say()
      await w.clock.advance(STALLED_MS + 1_000)
      assert.is(slow.failure?.code, 'OVERLOADED')
      slow.full = false
      await join(w, slow, gateway)
      await w.clock.advance(10)
      slow.check()
      assert.is(slow.snapshots.length, 1)
    }))

  test('a keeper that is away for a while delays a reader and does not harm it', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await w.say()
      client.cursor = `${w.incarnation}.1`
      w.keeperDown = true
      await join(w, client, gateway)
      await w.say()
      await w.clock.advance(3_000)
      assert.equal(client.received, [])
      w.keeperDown = false
      await w.clock.advance(3_000)
      assert.equal(client.received, [2])
    }))

  test('what the snapshot is refused with is the answer', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const sink: Sink<PublicEntry> = {
        entries: () => {},
        snapshot: () => {},
        congested: () => false,
        failed: () => {},
      }
      const opening = gateway.open({
        view: View.customer(customer()),
        conversationId: 'c1',
        after: undefined,
        takeSnapshot: () => Promise.reject(refuse('FORBIDDEN')),
        sink,
      })
      const outcome = await w.clock.settle(
        opening.then(
          () => null,
          (error: unknown) => error,
        ),
      )
      assert.instance(outcome, WaggleError)
      assert.is((outcome as WaggleError).code, 'FORBIDDEN')
    }))

  test('when the last reader has gone, nothing of it is left', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const clients = Array.from({ length: 10 }, (_, index) => new LogClient(w, `c${index % 4}`, index % 2 === 0))
      for (const client of clients) await join(w, client, gateway)
      for (let i = 0; i < 20; i++) await w.say({ scope: `c${i % 4}` })
      await w.clock.advance(50)
      for (const client of clients) client.disconnect()
      await w.clock.advance(5_000)
      assert.is(await w.metrics.get('g1')!.value('waggle_log_readers'), 0)
      assert.is(await w.metrics.get('g1')!.value('waggle_log_scopes'), 0)
      assert.is(w.clock.armed, 0)
    }))
})

suite('watching a whole tenant', ({ test }) => {
  test('gets pub and ops of every conversation, voided, from its cursor on', () =>
    world(async (w) => {
      const one = await w.gateway('g1')
      const two = await w.gateway('g2')
      await w.say({ epoch: 5 })
      const seen: number[] = []
      let cursor = ''
      const sink: Sink<Entry> = {
        entries: (batch) => {
          for (const { sequence, wire } of batch) {
            seen.push(sequence)
            cursor = wire.cursor
          }
        },
        snapshot: () => {},
        congested: () => false,
        failed: () => {},
      }
      const first = await w.clock.settle(one.watch({ principal: operator(), after: undefined, sink }))
      assert.is(first.cursor, `${w.incarnation}.1`)
      first.start()
      await w.say({ epoch: 4 }) // void: said under an old epoch, whose end the watcher has not seen
      await w.say({ scope: 'c2', by: 'supervisor/c2', audience: 'ops' })
      await w.say({ scope: 'c3', by: 'supervisor/c3', audience: 'sys' })
      await w.say({ scope: 'c3', by: 'supervisor/c3' })
      await w.say({ tenant: 'globex', scope: 'c9' })
      await w.clock.advance(10)
      assert.equal(seen, [3, 5])
      first.close()
      await w.say({ scope: 'c4', by: 'supervisor/c4' })
      const second = await w.clock.settle(two.watch({ principal: operator(), after: cursor, sink }))
      second.start()
      await w.say({ scope: 'c5', by: 'supervisor/c5' })
      await w.clock.advance(10)
      assert.equal(seen, [3, 5, 7, 8])
    }))
})
