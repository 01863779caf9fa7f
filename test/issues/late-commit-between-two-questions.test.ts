import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import type { Store } from '#shared/actor/store.ts'
import { testSystem } from '#shared/actor/testkit/test-system.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

const Out = contract('out', {
  put: tell(z.object({ n: z.number() })),
  list: ask(z.object({}), z.array(z.number()), { within: '1m' }),
})
const Box = contract('box', { put: tell(z.object({ n: z.number() })) })
const out = actor(Out, {
  state: { version: 1, initial: () => ({ list: [] as number[] }) },
  on: { put: (ctx, { n }) => void ctx.state.list.push(n), list: (ctx) => ctx.state.list },
})
const box = actor(Box, {
  state: { version: 1, initial: () => null },
  on: { put: (ctx, { n }) => ctx.tell(Out, 'o', 'put', { n }) },
})

/**
 * The order forced here: a commit fails with an unknown outcome; the store is asked for unsent rows and has none; the state
 * cannot be loaded; the commit comes true; the store is asked whether the command was processed and says yes. Its words
 * must be found all the same.
 */
suite('a commit that comes true between two questions', ({ test }) => {
  test('is relayed, and in its place', async () => {
    const kit = testSystem()
    const connect = kit.database.connect.bind(kit.database)
    let held: (() => Promise<unknown>) | null = null
    let failing = false
    kit.database.connect = (node: string): Store => {
      const store = connect(node)
      const commit: Store['commit'] = (fence, steps) => {
        if (!failing || fence.kind !== 'box') return store.commit(fence, steps)
        failing = false
        held = () => store.commit(fence, steps)
        return Promise.reject(new WaggleError('DATABASE_DOWN'))
      }
      let loads = 0
      const load: Store['load'] = (...about) =>
        held !== null && loads++ === 0 ? Promise.reject(new WaggleError('DATABASE_DOWN')) : store.load(...about)
      const processed: Store['processed'] = async (...about) => {
        if (loads > 0) {
          await held?.()
          held = null
        }
        return store.processed(...about)
      }
      const changed: Partial<Store> = { commit, load, processed }
      return new Proxy(store, {
        get: (target, name) => {
          const own: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name)
          return typeof own === 'function' ? own.bind(target) : own
        },
      })
    }
    await kit.node('a', box, out)
    const ref = kit.reach().ref(Box, 'b')
    await kit.clock.settle(ref.confirm('put', { n: 1 }))
    failing = true
    await kit.clock.settle(ref.tell('put', { n: 2 }))
    await kit.clock.settle(ref.tell('put', { n: 3 }))
    await kit.clock.advance(5_000)
    await kit.settled()
    assert.equal(await kit.clock.settle(kit.reach().ref(Out, 'o').ask('list', {})), [1, 2, 3])
    await kit.close()
  })
})
