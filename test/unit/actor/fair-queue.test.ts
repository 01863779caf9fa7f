import { FairQueue } from '#shared/actor/fair.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { assert, suite } from '#test/kit/suite.ts'

interface Done {
  readonly tenant: string
  readonly number: number
}

/** Work of a tenant that takes `ms`, in a queue of so many workers. */
async function serve(
  width: number,
  jobs: readonly { readonly tenant: string; readonly ms: number }[],
): Promise<{ done: Done[]; widest: number; queue: FairQueue }> {
  const clock = new SimClock()
  const queue = new FairQueue(width, clock)
  const done: Done[] = []
  let widest = 0
  jobs.forEach(({ tenant, ms }, number) =>
    queue.submit(tenant, async () => {
      widest = Math.max(widest, queue.active)
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))
      done.push({ tenant, number })
    }),
  )
  await clock.until(() => done.length === jobs.length)
  await clock.advance(1)
  return { done, widest, queue }
}

suite('the fair queue', ({ test }) => {
  test('never has more at work than it is wide, does everything, and keeps the order of each tenant', async () => {
    const random = seededRandom(7)
    for (let round = 0; round < 20; round++) {
      const width = 1 + Math.floor(random() * 4)
      const jobs = Array.from({ length: 60 }, () => ({ tenant: `t${Math.floor(random() * 5)}`, ms: 5 }))
      const { done, widest, queue } = await serve(width, jobs)
      assert.ok(widest <= width)
      assert.equal([queue.active, queue.waiting], [0, 0])
      for (const tenant of ['t0', 't1', 't2', 't3', 't4']) {
        const own = done.filter((one) => one.tenant === tenant).map((one) => one.number)
        assert.equal(
          own,
          own.toSorted((a, b) => a - b),
        )
      }
    }
  })

  test('a tenant with little to do does not wait for one with much', async () => {
    const jobs = [
      ...Array.from({ length: 200 }, () => ({ tenant: 'much', ms: 10 })),
      ...Array.from({ length: 5 }, () => ({ tenant: 'little', ms: 10 })),
    ]
    const { done } = await serve(2, jobs)
    const last = done.findLastIndex((one) => one.tenant === 'little')
    assert.ok(last < 30, `its last was number ${last} to be done`)
  })

  test('what is shared is time: a tenant whose work is long gets fewer turns', async () => {
    const jobs = [
      ...Array.from({ length: 100 }, () => ({ tenant: 'long', ms: 50 })),
      ...Array.from({ length: 100 }, () => ({ tenant: 'short', ms: 5 })),
    ]
    const { done } = await serve(1, jobs)
    const turns = done.findLastIndex((one) => one.tenant === 'short') + 1
    const long = done.slice(0, turns).filter((one) => one.tenant === 'long').length
    assert.ok(long < 25, `${long} long ones were served while 100 short ones were`)
  })

  test('what is withdrawn is not begun, and what is at work cannot be withdrawn', async () => {
    const clock = new SimClock()
    const queue = new FairQueue(1, clock)
    let began = 0
    const work = async (): Promise<void> => {
      began++
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 10))
    }
    const first = queue.submit('t', work)
    const second = queue.submit('t', work)
    assert.equal([first(), second(), second()], [false, true, false])
    await clock.advance(50)
    assert.equal([began, queue.active, queue.waiting], [1, 0, 0])
  })
})
