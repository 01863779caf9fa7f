import type { Transport } from '#shared/transport/port.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { Seen, bytes, eventually, text, unique } from './transport-world.ts'
import type { StartWorld, TransportWorld } from './transport-world.ts'

export function bucketContract(label: string, start: StartWorld): void {
  suite(`${label}: buckets`, ({ test, before, after }) => {
    let world: TransportWorld
    let alice: Transport
    let bob: Transport
    before(async () => {
      world = await start()
      alice = await world.connect('alice')
      bob = await world.connect('bob')
    })
    after(() => world.close())

    test('holds the last value of each key, with growing revisions', async () => {
      const name = unique('nodes')
      const [mine, theirs] = await Promise.all([alice, bob].map((each) => each.bucket(name, { ttlMs: 60_000 })))
      assert.is((await theirs!.entries()).size, 0)
      const revisions = [
        await mine!.put('a', bytes('1')),
        await theirs!.put('b', bytes('2')),
        await mine!.put('a', bytes('3')),
      ]
      assert.ok(revisions[0]! < revisions[1]! && revisions[1]! < revisions[2]!)
      const entries = await theirs!.entries()
      assert.equal(
        [...entries]
          .map(([key, { value, revision }]) => [key, text(value), revision] as const)
          .sort(([a], [b]) => a.localeCompare(b)),
        [
          ['a', '3', revisions[2]],
          ['b', '2', revisions[1]],
        ],
      )
      await mine!.delete('a')
      await mine!.delete('never-there')
      assert.equal([...(await theirs!.entries()).keys()], ['b'])
    })

    test('a watcher is told every change from now on, and nothing after it stops', async () => {
      const name = unique('nodes')
      const mine = await alice.bucket(name, { ttlMs: 60_000 })
      const theirs = await bob.bucket(name, { ttlMs: 60_000 })
      await mine.put('old', bytes('before'))
      const seen = new Seen<string>()
      const stop = await theirs.watch((key, entry) => seen.add(`${key}=${entry ? text(entry.value) : 'null'}`))
      await mine.put('a', bytes('1'))
      await mine.put('a', bytes('2'))
      await mine.delete('a')
      await mine.put('old', bytes('after'))
      await seen.count(4)
      assert.equal(seen.all, ['a=1', 'a=2', 'a=null', 'old=after'])
      stop()
      await mine.put('a', bytes('unheard'))
      await bob.flush()
      await theirs.entries()
      assert.is(seen.all.length, 4)
    })

    test('an entry that is not renewed goes away, one that is renewed stays', async () => {
      const name = unique('nodes')
      const bucket = await alice.bucket(name, { ttlMs: 1_000 })
      await bucket.put('crashed', bytes('x'))
      const beat = setInterval(() => void bucket.put('alive', bytes('y')).catch(() => undefined), 50)
      await eventually(async () => !(await bucket.entries()).has('crashed'))
      assert.ok((await bucket.entries()).has('alive'))
      clearInterval(beat)
      await eventually(async () => (await bucket.entries()).size === 0)
    })

    test('refuses a key that is not a token or several', async () => {
      const bucket = await alice.bucket(unique('nodes'), { ttlMs: 60_000 })
      for (const key of ['', 'a b', 'a.*', '>', 'a..b', '.a']) {
        assert.is(await codeOf(bucket.put(key, bytes('x'))), 'BAD_NAME', JSON.stringify(key))
      }
    })
  })
}
