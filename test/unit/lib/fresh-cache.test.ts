import { FreshCache } from '#shared/lib/fresh-cache.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { systemClock } from '#shared/lib/clock.ts'
import { assert, suite } from '#test/kit/suite.ts'

function at(): { clock: typeof systemClock; set: (ms: number) => void } {
  let now = 1_000
  return { clock: { ...systemClock, elapsed: () => now }, set: (ms) => (now = ms) }
}

suite('fresh cache', ({ test }) => {
  test('a crowd asks the source once', async () => {
    const answer = new Deferred<string>()
    let asked = 0
    const cache = new FreshCache({ ttlMs: 100, capacity: 9, load: () => ((asked += 1), answer.promise) })
    const all = Promise.all(Array.from({ length: 50 }, () => cache.get('a')))
    answer.resolve('yes')
    assert.equal(new Set(await all), new Set(['yes']))
    assert.is(asked, 1)
  })

  test('an answer is old from the moment of the question', async () => {
    const time = at()
    let asked = 0
    const cache = new FreshCache({ ttlMs: 100, capacity: 9, clock: time.clock, load: async () => ++asked })
    assert.is(await cache.get('a'), 1)
    time.set(1_099)
    assert.is(await cache.get('a'), 1)
    time.set(1_100)
    assert.is(await cache.get('a'), 2)
  })

  test('a failure reaches all who waited and is forgotten', async () => {
    let fail = true
    const cache = new FreshCache({
      ttlMs: 100,
      capacity: 9,
      load: async () => {
        if (fail) throw new Error('down')
        return 'up'
      },
    })
    const both = await Promise.allSettled([cache.get('a'), cache.get('a')])
    assert.equal(
      both.map((one) => one.status),
      ['rejected', 'rejected'],
    )
    fail = false
    assert.is(await cache.get('a'), 'up')
  })

  test('what was forgotten on its way is not kept', async () => {
    const first = new Deferred<string>()
    const answers = [first.promise, Promise.resolve('new')]
    const cache = new FreshCache({ ttlMs: 100, capacity: 9, load: () => answers.shift()! })
    const old = cache.get('a')
    cache.forget('a')
    const fresh = cache.get('a')
    assert.is(await fresh, 'new')
    first.resolve('old')
    assert.is(await old, 'old')
    assert.is(await cache.get('a'), 'new')
  })

  test('a source that throws at once is a failure like any other', async () => {
    const cache = new FreshCache<string>({
      ttlMs: 100,
      capacity: 9,
      load: () => {
        throw new Error('at once')
      },
    })
    for (const turn of [1, 2]) {
      const told = await cache.get('a').catch((error: unknown) => (error as Error).message)
      assert.is(told, 'at once', `turn ${turn}`)
    }
  })

  test('keeps no more than its capacity, the used ones longest', async () => {
    const cache = new FreshCache({ ttlMs: 1e9, capacity: 2, load: async (key) => ({ key }) })
    const a = await cache.get('a')
    await cache.get('b')
    await cache.get('a')
    await cache.get('c')
    assert.is(cache.size, 2)
    assert.is(await cache.get('a'), a)
  })
})
