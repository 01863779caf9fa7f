import type { Entry } from '#gateway/log/entry.ts'
import type { Sink } from '#gateway/log/sink.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { LogClient } from './log-client.ts'
import { join, operator, world } from './log-world.ts'

suite('a tenant that gets a log of its own', ({ test }) => {
  test('cursors of before go on behind it, at every gateway, whether it has heard of it or not', () =>
    world(async (w) => {
      const [knows, learns] = [await w.gateway('g1'), await w.gateway('g2')]
      const clients = [new LogClient(w), new LogClient(w, 'c1', true)]
      for (const client of clients) await join(w, client, knows)
      for (let i = 0; i < 3; i++) await w.say()
      await w.say({ tenant: 'globex' })
      await w.clock.advance(10)
      for (const client of clients) client.disconnect()
      await w.say()
      const { tell } = await w.move()
      tell()
      for (let i = 0; i < 3; i++) await w.say({ audience: i === 1 ? 'ops' : 'pub' })
      await w.say({ tenant: 'globex' })
      await join(w, clients[0]!, knows)
      await join(w, clients[1]!, learns)
      await w.say()
      await w.clock.advance(10)
      for (const client of clients) {
        client.check()
        assert.is(client.snapshots.length, 1)
      }
      assert.is(clients[1]!.received.length, 8)
      const last = clients[0]!.received.at(-1)!
      assert.ok(last > 100_000, `${last} is in its own stream`)
    }))

  test('whoever is connected gets everything, from before and from after, once', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const client = new LogClient(w)
      await join(w, client, gateway)
      await w.say()
      const { tell } = await w.move()
      await w.say()
      await w.clock.advance(100)
      tell()
      await w.say()
      await w.clock.advance(2_000)
      client.check()
      assert.is(client.received.length, 3)
      for (let i = 0; i < 3; i++) await w.say()
      await w.clock.advance(10)
      client.check()
      assert.is(client.received.length, 6)
    }))

  test('nothing comes twice or is lost when the gateway hears late, and others of the shared log go on undisturbed', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const watched = new LogClient(w)
      await join(w, watched, gateway)
      const seen: number[] = []
      const sink: Sink<Entry> = {
        entries: (batch) => void seen.push(...batch.map(({ sequence }) => sequence)),
        snapshot: () => {},
        congested: () => false,
        failed: () => {},
      }
      const globex = await w.clock.settle(gateway.watch({ principal: operator('globex'), after: undefined, sink }))
      globex.start()
      await w.say()
      const { tell } = await w.move()
      const before = await w.say({ tenant: 'globex' })
      await w.say({ audience: 'ops' })
      await w.clock.advance(60_000)
      tell()
      await w.clock.advance(60_000)
      await w.say()
      const after = await w.say({ tenant: 'globex' })
      await w.clock.advance(2_000)
      watched.check()
      assert.equal(seen, [before, after])
    }))

  test('a cursor that was taken from the tail of the shared log after the move is answered with a snapshot', () =>
    world(async (w) => {
      const [knows, late] = [await w.gateway('g1'), await w.gateway('g2')]
      await w.say()
      const { tell } = await w.move()
      for (let i = 0; i < 5; i++) await w.say({ tenant: 'globex' })
      const [client, other] = [new LogClient(w), new LogClient(w)]
      await w.clock.settle(client.connect(late))
      client.disconnect()
      assert.is(client.cursor, `${w.incarnation}.6`)
      await w.say()
      tell()
      await join(w, other, knows)
      await join(w, client, knows)
      assert.is(client.snapshots.length, 2)
      await w.say()
      await w.clock.advance(10)
      client.check()
    }))

  test('a watcher goes on from where it is', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const seen: number[] = []
      const sink: Sink<Entry> = {
        entries: (batch) => void seen.push(...batch.map(({ sequence }) => sequence)),
        snapshot: () => {},
        congested: () => false,
        failed: () => {},
      }
      const opening = await w.clock.settle(gateway.watch({ principal: operator(), after: undefined, sink }))
      opening.start()
      await w.say()
      const { tell } = await w.move()
      await w.say({ scope: 'c2', by: 'supervisor/c2', audience: 'ops' })
      tell()
      await w.say({ scope: 'c3', by: 'supervisor/c3' })
      await w.clock.advance(2_000)
      assert.equal(seen, w.truth(null, ['pub', 'ops']))
    }))

  test('its own stream lost its tail: its readers begin anew, nobody else does', () =>
    world(async (w) => {
      const gateway = await w.gateway('g1')
      const { tell } = await w.move()
      tell()
      const [mine, theirs] = [new LogClient(w), new LogClient(w, 'c9')]
      await join(w, mine, gateway)
      const seen: number[] = []
      const sink: Sink<Entry> = {
        entries: (batch) => void seen.push(...batch.map(({ sequence }) => sequence)),
        snapshot: () => assert.unreachable('globex lost nothing'),
        congested: () => false,
        failed: () => {},
      }
      const opening = await w.clock.settle(gateway.watch({ principal: operator('globex'), after: undefined, sink }))
      opening.start()
      await w.say()
      await w.clock.advance(10)
      w.own[0] = { ...w.own[0]!, incarnation: 'bbb2' }
      await w.clock.advance(20_000)
      assert.is(mine.snapshots.length, 2)
      assert.match(mine.cursor!, /^bbb2\./)
      const said = await w.say({ tenant: 'globex' })
      await w.say()
      await w.clock.advance(10)
      mine.check()
      assert.equal(seen, [said])
      theirs.disconnect()
    }))
})
