import { clientAddress } from '#gateway/auth/doorman.ts'
import { RateLimiter } from '#gateway/auth/rate-limiter.ts'
import { withoutSpentDeltas } from '#gateway/log/thin.ts'
import { LogLine } from '#gateway/log/entry.ts'
import { Gate } from '#gateway/log/gate.ts'
import { sendMessage } from '#gateway/operations/messages.ts'
import { Lanes } from '#gateway/sockets/lanes.ts'
import type { Reach } from '#shared/actor/ref.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { customer } from './log-world.ts'

function waitOf(work: () => void): number {
  try {
    work()
    return 0
  } catch (error) {
    assert.is((error as WaggleError).code, 'RATE_LIMITED')
    return Number((error as WaggleError).details['retryAfterMs'])
  }
}

suite('rates', ({ test }) => {
  test('a burst at once, then the rate; a refusal costs nothing and says how long to wait', async () => {
    const clock = new SimClock()
    const limiter = new RateLimiter({ perSecond: 2, burst: 3 }, clock)
    for (let i = 0; i < 3; i++)
      assert.is(
        waitOf(() => limiter.take('a')),
        0,
      )
    for (let i = 0; i < 10; i++)
      assert.is(
        waitOf(() => limiter.take('a')),
        500,
      )
    assert.is(
      waitOf(() => limiter.take('b')),
      0,
      'keys do not share',
    )
    await clock.advance(499)
    assert.is(
      waitOf(() => limiter.take('a')),
      1,
    )
    await clock.advance(1)
    assert.is(
      waitOf(() => limiter.take('a')),
      0,
    )
    await clock.advance(3_600_000)
    for (let i = 0; i < 3; i++)
      assert.is(
        waitOf(() => limiter.take('a')),
        0,
      )
    assert.ok(waitOf(() => limiter.take('a')) > 0, 'no more than the burst is saved up')
  })

  test('a check takes nothing', () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, new SimClock())
    for (let i = 0; i < 5; i++)
      assert.is(
        waitOf(() => limiter.check('a')),
        0,
      )
    limiter.take('a')
    assert.ok(waitOf(() => limiter.check('a')) > 0)
  })
})

suite('the address of a client', ({ test }) => {
  test('is what the nearest proxies of ours saw, and nothing that the client said', () => {
    assert.is(clientAddress('10.0.0.9', '1.2.3.4', 0), '10.0.0.9')
    assert.is(clientAddress('10.0.0.9', undefined, 2), '10.0.0.9')
    assert.is(clientAddress('10.0.0.9', '6.6.6.6, 1.2.3.4', 1), '1.2.3.4')
    assert.is(clientAddress('10.0.0.9', '6.6.6.6, 1.2.3.4, 10.0.0.8', 2), '1.2.3.4')
    assert.is(clientAddress('10.0.0.9', '1.2.3.4', 5), '1.2.3.4')
    assert.is(clientAddress('10.0.0.9', ' , ', 1), '10.0.0.9')
  })
})

suite('lanes and gates', ({ test }) => {
  test('work of one key comes one after another, also after a failure; of others beside it', async () => {
    const lanes = new Lanes()
    const order: string[] = []
    const step =
      (name: string, wait: Promise<void>, fails = false) =>
      async (): Promise<void> => {
        order.push(`${name} begins`)
        await wait
        order.push(`${name} ends`)
        if (fails) throw new Error(name)
      }
    const hold = Promise.withResolvers<void>()
    const one = lanes.run('a', step('one', hold.promise, true)).catch((error: Error) => error.message)
    const two = lanes.run('a', step('two', Promise.resolve()))
    await lanes.run('b', step('three', Promise.resolve()))
    assert.equal(order, ['one begins', 'three begins', 'three ends'])
    hold.resolve()
    assert.is(await one, 'one')
    await two
    assert.equal(order.slice(3), ['one ends', 'two begins', 'two ends'])
  })

  test('no more than the width of a gate are inside, in the order of coming', async () => {
    const gate = new Gate(2)
    let inside = 0
    let most = 0
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        gate
          .run(async () => {
            order.push(index)
            most = Math.max(most, ++inside)
            await new Promise((resolve) => setImmediate(resolve))
            inside--
            if (index % 3 === 0) throw new Error('one that fails lets the next in, too')
          })
          .catch(() => {}),
      ),
    )
    assert.is(most, 2)
    assert.equal(
      order,
      Array.from({ length: 20 }, (_, index) => index),
    )
  })
})

suite('sending a message', ({ test }) => {
  interface Sent {
    readonly name: string
    readonly input: unknown
    readonly id: string
  }
  function reach(outcome: () => unknown, user = 'ann'): { reach: Reach; sent: Sent[] } {
    const sent: Sent[] = []
    const confirm = async (name: string, input: unknown, options: { id: string }): Promise<unknown> => {
      sent.push({ name, input, id: options.id })
      return outcome()
    }
    return { reach: { principal: customer('acme', user), ref: () => ({ confirm }) } as never, sent }
  }
  const receipt = (): unknown => ({ messageId: 'm', turnId: 't', status: 'accepted' })
  const message = { conversationId: 'c1', id: 'm1', text: 'hello' }

  test('the same message is the same command; whatever differs makes it another', async () => {
    const { reach: ann, sent } = reach(receipt)
    const { reach: bob, sent: sentByBob } = reach(receipt, 'bob')
    await sendMessage(ann, message, 'web')
    await sendMessage(ann, { ...message }, 'rest')
    assert.is(sent[0]!.id, sent[1]!.id)
    const others = [
      { ...message, id: 'm2' },
      { ...message, text: 'hello!' },
      { ...message, conversationId: 'c2' },
      { ...message, agent: 'billing' },
    ]
    for (const other of others) await sendMessage(ann, other, 'web')
    await sendMessage(bob, message, 'web')
    const ids = [...sent.slice(1), ...sentByBob].map(({ id }) => id)
    assert.is(new Set(ids).size, ids.length)
    for (const id of ids) assert.match(id, /^[a-z0-9-]{1,64}$/)
  })

  test('what is not confirmed in time is pending, and no error; a refusal is one', async () => {
    const late = reach(() => {
      throw new WaggleError('DEADLINE')
    })
    assert.equal(await sendMessage(late.reach, message, 'web'), { messageId: '', turnId: '', status: 'pending' })
    const busy = reach(() => {
      throw refuse('BUSY')
    })
    const outcome = await sendMessage(busy.reach, message, 'web').catch((error: unknown) => error)
    assert.is((outcome as WaggleError).code, 'BUSY')
  })
})

suite('what a slow reader is spared', ({ test }) => {
  test('deltas of messages whose end it gets as well; not those still being said, and no fact', () => {
    const line = (sequence: number, type: string, payload: unknown): LogLine<'pub'> =>
      new LogLine('pub', sequence, 'i', 'c1', {
        id: `e${sequence}`,
        type,
        version: 1,
        by: 'run/c1--r',
        epoch: 1,
        control: 0,
        at: 0,
        trace: '',
        payload,
      })
    const entries = [
      line(1, 'text:delta', { messageId: 'a', offset: 0, text: 'x' }),
      line(2, 'text:delta', { messageId: 'b', offset: 0, text: 'x' }),
      line(3, 'text:delta', { messageId: 'c', offset: 0, text: 'x' }),
      line(4, 'turn:started', { turnId: 't' }),
      line(5, 'message:completed', { id: 'a' }),
      line(6, 'message:retracted', { messageId: 'b' }),
      line(7, 'text:delta', { messageId: 'c', offset: 1, text: 'y' }),
    ]
    assert.equal(
      withoutSpentDeltas(entries).map(({ sequence }) => sequence),
      [3, 4, 5, 6, 7],
    )
  })
})
